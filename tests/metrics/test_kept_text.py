"""The text that is kept from page to page is what would be rendered anew, whatever happened."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from prometheus_client import CollectorRegistry

from exporter.config.schema import ClientsConfig, PrivacyMode
from exporter.config.secret_files import PrivacyKey
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.commands import Command
from exporter.management.errors import ReplyError, ReplyTimeout
from exporter.management.notifications import (
    ClientEvent,
    Fatal,
    Greeting,
    Hold,
    LogLine,
    ParsedNotification,
    PasswordFailed,
    PasswordRequest,
    StateChange,
)
from exporter.management.replies import Poll
from exporter.management.state import State, StateName
from exporter.management.status import ClientRow, ServerStatus
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.state.sharing import Outcome
from tests.metrics.daemons import (
    CERTIFICATES,
    NOON,
    OFFICE_CLIENT,
    PID,
    PORT_REPORT,
    TUNNEL,
    office_daemon,
    poll,
    server_status,
    shared,
    start_session,
    take_down,
    tunnel,
)
from tests.metrics.parsing import FORMATS, all_series, parse

Step = Callable[[DaemonState], None]


def sharing_one_address(number: int) -> ClientRow:
    """Return one of six sessions of two names, all behind one address."""
    return structs.replace(
        OFFICE_CLIENT,
        common_name=f"user-{number % 2}",
        username="",
        real_address=f"192.0.2.7:{50_000 + number}",
        virtual_address=f"10.8.0.{number // 4}",
        virtual_ipv6_address="",
        client_id=number,
    )


rows = st.builds(
    structs.replace,
    st.builds(sharing_one_address, st.integers(0, 5)),
    received_bytes=st.integers(0, 3),
    connected_since=st.sampled_from((NOON - 3600, NOON - 60)),
    cipher=st.sampled_from(("AES-256-GCM", "CHACHA20-POLY1305", "")),
)
states = st.builds(State, time=st.integers(NOON, NOON + 9), name=st.sampled_from(list(StateName)))
messages = st.one_of(
    st.builds(StateChange, states),
    st.builds(
        LogLine,
        time=st.integers(NOON, NOON + 9),
        flags=st.sampled_from("IFNWD"),
        text=st.sampled_from(("192.0.2.7:1 TLS Error: TLS handshake failed", "anything")),
    ),
    st.sampled_from(
        (
            Greeting(5),
            Hold(),
            Fatal("Cannot open TUN/TAP dev"),
            PasswordFailed("Auth"),
            PasswordRequest("Private Key"),
            ClientEvent(
                "ESTABLISHED",
                4,
                {"time_unix": str(NOON - 60), "IV_PLAT": "linux", "IV_VER": "2.6.14"},
            ),
        )
    ),
)


def on_poll(clients: list[ClientRow], later: int) -> Step:
    status = structs.replace(server_status(clients), updated=NOON + later)
    return lambda daemon: poll(daemon, status, now=NOON + later)


def on_message(message: ParsedNotification) -> Step:
    return lambda daemon: daemon.on_notification("LOG", message)


def on_counters_only(daemon: DaemonState) -> None:
    if isinstance(daemon.status, ServerStatus):
        clients = [
            structs.replace(row, received_bytes=row.received_bytes + 1000)
            for row in daemon.status.clients
        ]
        poll(daemon, structs.replace(daemon.status, clients=tuple(clients)), now=NOON + 15)


def on_float(daemon: DaemonState) -> None:
    if isinstance(daemon.status, ServerStatus):
        clients = [
            structs.replace(row, real_address=f"203.0.113.{number}:1", cipher="AES-128-GCM")
            for number, row in enumerate(daemon.status.clients)
        ]
        poll(daemon, structs.replace(daemon.status, clients=tuple(clients)), now=NOON + 30)


def on_other_privacy(daemon: DaemonState) -> None:
    config = structs.replace(office_daemon(daemon.name), privacy=PrivacyMode.NONE)
    daemon.reconfigure(Target(config, ClientsConfig(routes=True)))


def on_pseudonyms(daemon: DaemonState) -> None:
    key = PrivacyKey(Path("key"), b"0123456789abcdef")
    config = ClientsConfig(privacy=PrivacyMode.PSEUDONYM, privacy_key_file=key, routes=True)
    daemon.reconfigure(Target(office_daemon(daemon.name), config))


def on_limit(daemon: DaemonState) -> None:
    daemon.reconfigure(Target(office_daemon(daemon.name), ClientsConfig(limit=1)))


def on_restart(daemon: DaemonState) -> None:
    daemon.on_connect()
    daemon.on_pid(PID + 1)


def on_shared_command(daemon: DaemonState) -> None:
    daemon.sharing.commands["status", Outcome.SERVED] += 1
    daemon.revision += 1


steps = st.one_of(
    st.builds(on_poll, st.lists(rows, max_size=5), st.integers(0, 7200)),
    st.builds(on_message, messages),
    st.sampled_from(
        (
            on_counters_only,
            on_float,
            on_other_privacy,
            on_pseudonyms,
            on_limit,
            on_restart,
            on_shared_command,
            start_session,
            take_down,
            lambda daemon: poll(daemon, TUNNEL),
            lambda daemon: poll(daemon, None),
            lambda daemon: daemon.on_poll_error(ReplyTimeout("no answer")),
            lambda daemon: daemon.on_command(Command.HOLD, ReplyError("refused")),
            lambda daemon: daemon.set_certificates(CERTIFICATES[:1]),
            lambda daemon: daemon.port_probes.record(PORT_REPORT),
            lambda daemon: run_batches(daemon.forget(NOON + 9000)),
        )
    ),
)


def shared_server() -> DaemonState:
    daemon = shared()
    poll(daemon, server_status([sharing_one_address(number) for number in range(3)]))
    return daemon


@pytest.mark.parametrize("make", [shared_server, tunnel])
@given(st.lists(steps, max_size=7))
@settings(max_examples=40, deadline=None)
def test_a_page_is_that_of_an_exporter_that_keeps_nothing(
    make: Callable[[], DaemonState], happened: list[Step]
) -> None:
    daemon = make()
    kept = Exposition(FAMILIES, CollectorRegistry())
    for step in (lambda _: None, *happened):
        step(daemon)
        anew = Exposition(FAMILIES, CollectorRegistry())
        assert kept.page([daemon]).body == anew.page([daemon]).body
    for accept in FORMATS:
        page = kept.page([daemon], accept=accept)
        series = all_series(parse(page.body, page.content_type))
        assert len(series) == len(set(series))


def test_no_name_is_kept_that_a_reload_hides() -> None:
    daemon, kept = shared_server(), Exposition(FAMILIES, CollectorRegistry())
    assert b'"user-1"' in kept.page([daemon]).body
    on_pseudonyms(daemon)
    page = kept.page([daemon]).body
    assert b"user-" not in page
    assert b'common_name="p-' in page


def test_a_change_while_text_is_rendered_is_on_the_next_page() -> None:
    for step in range(20):
        daemon, kept = shared_server(), Exposition(FAMILIES, CollectorRegistry())
        rendering = kept._refresh([daemon])
        for _ in itertools.islice(rendering, step):
            pass
        daemon.on_notification("FATAL", Fatal("Cannot open TUN/TAP dev"))
        for _ in rendering:
            pass
        anew = Exposition(FAMILIES, CollectorRegistry())
        assert kept.page([daemon]).body == anew.page([daemon]).body


def test_a_page_after_a_poll_is_right_whatever_one_after_a_reload_within_it_was() -> None:
    """A page within the poll shows the sessions that are counted by then."""
    for step in range(20):
        daemon, kept = shared_server(), Exposition(FAMILIES, CollectorRegistry())
        poll(daemon, server_status([sharing_one_address(number) for number in range(4)]))
        kept.page([daemon])
        status = server_status([sharing_one_address(number) for number in (1, 3, 4)])
        change = daemon.on_poll(Poll(None, status), now=NOON + 15, duration=0.0)
        for _ in itertools.islice(change, step):
            pass
        daemon.reconfigure(daemon.target)
        kept.page([daemon])
        run_batches(change)
        anew = Exposition(FAMILIES, CollectorRegistry())
        assert kept.page([daemon]).body == anew.page([daemon]).body
