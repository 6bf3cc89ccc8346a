"""Clients whose row proves no login: on a bridge, or without any address.

The daemon has let them in: `>CLIENT:ESTABLISHED` or a line of its log says so.
"""

from collections.abc import Callable

import pytest
from msgspec import structs

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import TcpEndpoint
from exporter.management.errors import SessionClosed
from exporter.management.login_lines import LoginLine
from exporter.management.notifications import ClientEvent, LogLine
from exporter.management.replies import LoadStats, Poll
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.daemon import DaemonState
from exporter.state.logged_logins import LoggedLogins
from exporter.state.status_order import StatusFileContent

SINCE = 1795405800
ALICE = ClientRow(
    "alice", "192.0.2.7:4", "", "", 100, 200, SINCE, client_id=3, cipher="AES-256-GCM"
)


def bridge() -> DaemonState:
    management = TcpEndpoint("127.0.0.1", 7505)
    daemon = DaemonState(Target(DaemonConfig(name="bridge", management=management)))
    daemon.on_connect()
    return daemon


def poll(
    daemon: DaemonState,
    *,
    clients: tuple[ClientRow, ...] = (),
    pending: tuple[ClientRow, ...] = (),
    meanwhile: Callable[[], None] = lambda: None,
    unparsed: int = 0,
) -> tuple[int, int]:
    """Poll a status; return the numbers of connected and of pending clients.

    `meanwhile` is called when the status is received, before it is parsed.
    """
    status = ServerStatus(
        SINCE + 200,
        clients=clients,
        pending=pending,
        route_count=len(clients),
        unparsed=unparsed,
    )
    daemon.on_status_received()
    meanwhile()
    run_batches(daemon.on_poll(Poll(LoadStats(1, 0, 0), status), now=SINCE + 200.0, duration=0.1))
    assert isinstance(daemon.status, ServerStatus)
    return len(daemon.status.clients), len(daemon.status.pending)


def log_history(daemon: DaemonState, *lines: LogLine) -> None:
    """Read the log cache at the start of a session."""
    run_batches(daemon.on_log_history(lines))


def log(daemon: DaemonState, *lines: LogLine) -> None:
    """Receive log lines in real time."""
    for line in lines:
        daemon.on_notification("LOG", line)


def established(daemon: DaemonState, client_id: int = 3, **env: str) -> None:
    variables = {"common_name": "alice", "time_unix": str(SINCE), **env}
    daemon.on_notification("CLIENT", ClientEvent("ESTABLISHED", client_id, env=variables))


def test_a_row_without_any_proof_is_pending() -> None:
    assert poll(bridge(), pending=(ALICE,)) == (0, 1)


def test_a_client_that_the_daemon_has_let_in_is_connected() -> None:
    daemon = bridge()
    assert poll(daemon) == (0, 0)
    established(daemon)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert daemon.clients.sessions.connects == 1
    assert daemon.clients.totals["alice"].received_bytes == 100
    assert poll(daemon, pending=(structs.replace(ALICE, received_bytes=150),)) == (1, 0)
    assert daemon.clients.totals["alice"].received_bytes == 150
    assert poll(daemon) == (0, 0)
    assert daemon.clients.sessions.disconnects == 1


def test_a_login_after_a_status_was_received_is_none_of_that_status() -> None:
    """The message arrives while the status is parsed, whose row has no name yet."""
    daemon = bridge()
    assert poll(daemon) == (0, 0)
    nameless = structs.replace(ALICE, common_name="")
    assert poll(daemon, pending=(nameless,), meanwhile=lambda: established(daemon)) == (0, 1)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert [session.name for session in daemon.clients.sessions.current] == ["alice"]
    assert daemon.clients.sessions.connects == 1


def test_a_rejected_client_stays_pending() -> None:
    daemon = bridge()
    assert poll(daemon) == (0, 0)
    established(daemon, time_duration="0")
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    assert daemon.clients.sessions.connects == 0


def test_the_login_of_another_client_proves_nothing() -> None:
    daemon = bridge()
    established(daemon, client_id=4)
    established(daemon, time_unix=str(SINCE - 1))
    assert poll(daemon, pending=(ALICE,)) == (0, 1)


def test_a_client_on_a_bridge_stays_connected_when_its_route_expires() -> None:
    daemon = bridge()
    assert poll(daemon, clients=(ALICE,)) == (1, 0)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert poll(daemon, clients=(ALICE,)) == (1, 0)
    assert daemon.clients.sessions.disconnects == 0


def test_a_client_on_a_bridge_is_pending_again_after_a_restart() -> None:
    daemon = bridge()
    assert poll(daemon, clients=(ALICE,)) == (1, 0)
    run_batches(daemon.clients.restart())
    assert poll(daemon, pending=(ALICE,)) == (0, 1)


def push_reply(at: int = SINCE + 1, client: str = "alice/192.0.2.7:4") -> LogLine:
    name = client.rpartition("/")[0]
    return LogLine(at, "", f"{client} SENT CONTROL [{name}]: 'PUSH_REPLY,ping 2' (status=1)")


NO_ADDRESS = LogLine(
    SINCE + 1,
    "N",
    "alice/192.0.2.7:4 MULTI: no dynamic or static remote --ifconfig address is available for "
    "alice/192.0.2.7:4",
)
LEARN = LogLine(
    SINCE + 9, "", "alice/192.0.2.7:4 MULTI: Learn: 9e:45:f9:23:0a:9c@0 -> alice/192.0.2.7:4"
)
AUTH_FAILED = LogLine(
    SINCE + 2, "", "alice/192.0.2.7:4 SENT CONTROL [alice]: 'AUTH_FAILED' (status=1)"
)
NO_CIPHER = LogLine(
    SINCE + 2,
    "I",
    "alice/192.0.2.7:4 PUSH: No common cipher between server and client. Server data-ciphers: 'A', "
    "client supports cipher 'B'",
)
GONE = LogLine(
    SINCE + 2,
    "",
    "alice/192.0.2.7:4 SIGUSR1[soft,remote-exit] received, client-instance restarting",
)
FORMAT_1 = structs.replace(ALICE, client_id=None)


@pytest.mark.parametrize("line", [push_reply(), NO_ADDRESS, LEARN])
@pytest.mark.parametrize("row", [ALICE, FORMAT_1])
def test_a_client_that_was_let_in_before_the_session_is_connected(
    line: LogLine, row: ClientRow
) -> None:
    daemon = bridge()
    log_history(daemon, line)
    assert poll(daemon, pending=(row,)) == (1, 0)
    assert daemon.clients.sessions.connects == 0  # it was there before the exporter
    assert poll(daemon, pending=(row,)) == (1, 0)
    assert poll(daemon) == (0, 0)
    assert daemon.clients.sessions.disconnects == 1


@pytest.mark.parametrize("row", [ALICE, FORMAT_1])
def test_a_login_in_the_log_counts_one_connect(row: ClientRow) -> None:
    """Such a client is let in once, whatever lines say so."""
    daemon = bridge()
    log_history(daemon)
    assert poll(daemon) == (0, 0)
    established(daemon)
    log(daemon, NO_ADDRESS, push_reply(), LEARN)
    assert poll(daemon, pending=(row,)) == (1, 0)
    log(daemon, push_reply(SINCE + 60))
    assert poll(daemon, pending=(row,)) == (1, 0)
    assert daemon.clients.sessions.connects == 1
    assert daemon.clients.sessions.disconnects == 0


def test_a_login_logged_after_a_status_was_received_is_none_of_that_status() -> None:
    daemon = bridge()
    log_history(daemon)
    assert poll(daemon, pending=(ALICE,), meanwhile=lambda: log(daemon, push_reply())) == (0, 1)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


@pytest.mark.parametrize("after", [AUTH_FAILED, NO_CIPHER, GONE])
def test_a_client_that_was_rejected_or_has_gone_since_is_pending(after: LogLine) -> None:
    daemon = bridge()
    log_history(daemon, NO_ADDRESS, after)
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    log(daemon, NO_ADDRESS, after)
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    log(daemon, NO_ADDRESS)
    assert poll(daemon, pending=(ALICE,), meanwhile=lambda: log(daemon, after)) == (0, 1)
    log(daemon, after, push_reply())
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


@pytest.mark.parametrize(
    "client",
    ["bob/192.0.2.7:4", "alice/192.0.2.7:5", "192.0.2.7:4", "alice/udp4:192.0.2.7:4"],
)
def test_the_logged_login_of_another_client_proves_nothing(client: str) -> None:
    daemon = bridge()
    log_history(daemon, push_reply(client=client))
    assert poll(daemon, pending=(ALICE,)) == (0, 1)


def test_the_login_of_an_earlier_client_at_the_same_address_proves_nothing() -> None:
    daemon = bridge()
    log_history(daemon, push_reply(SINCE - 1))
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    log(daemon, push_reply(SINCE))
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


def test_a_login_without_a_row_in_the_next_status_is_forgotten() -> None:
    daemon = bridge()
    log_history(daemon, push_reply(SINCE + 60))
    assert poll(daemon) == (0, 0)
    assert poll(daemon, pending=(structs.replace(ALICE, client_id=4),)) == (0, 1)


def test_a_login_is_kept_over_a_status_with_unreadable_lines() -> None:
    daemon = bridge()
    log_history(daemon, push_reply())
    assert poll(daemon, unparsed=1) == (0, 0)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


def test_a_login_is_kept_over_a_status_file() -> None:
    """The session went down while its status was received, and the file is older."""
    daemon = bridge()
    log_history(daemon, push_reply())
    daemon.on_status_received()
    daemon.on_down(SessionClosed("closed"))
    older = ServerStatus(SINCE - 5, clients=(), pending=(), route_count=0)
    file = StatusFileContent(older, SINCE - 5, b"digest")
    run_batches(daemon.on_status_file(file, now=SINCE + 2.0, duration=0.1))
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


def test_of_several_clients_at_an_address_without_a_port_none_is_taken_for_another() -> None:
    """Up to 2.6 an IPv6 address is printed without its port."""
    alice = structs.replace(ALICE, real_address="2001:db8::7")
    bob = structs.replace(alice, common_name="bob", client_id=4)
    second = structs.replace(alice, client_id=5)
    daemon = bridge()
    log_history(daemon, push_reply(client="alice/2001:db8::7"))
    assert poll(daemon, pending=(alice, bob, second)) == (0, 3)
    log(daemon, push_reply(client="alice/2001:db8::7"), push_reply(client="bob/2001:db8::7"))
    assert poll(daemon, clients=(second,), pending=(alice, bob)) == (2, 1)
    log(daemon, push_reply(client="alice/2001:db8::7"))
    assert poll(daemon, pending=(alice, bob)) == (2, 0)


def test_a_silent_client_stays_connected_while_the_format_changes() -> None:
    """A fallback to format 1 has no client ids, and times in the zone of that moment."""
    daemon = bridge()
    log_history(daemon, push_reply())
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    for row in (
        FORMAT_1,
        structs.replace(FORMAT_1, connected_since=SINCE + 3600),
        ALICE,
        structs.replace(FORMAT_1, connected_since=SINCE - 3600),
        ALICE,
    ):
        assert poll(daemon, pending=(row,)) == (1, 0)
    assert daemon.clients.sessions.connects == daemon.clients.sessions.disconnects == 0


def test_a_silent_client_without_an_id_stays_connected_when_it_gets_one() -> None:
    daemon = bridge()
    log_history(daemon, push_reply())
    assert poll(daemon, pending=(FORMAT_1,)) == (1, 0)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert daemon.clients.sessions.connects == daemon.clients.sessions.disconnects == 0


def test_another_client_is_pending_while_the_format_changes() -> None:
    daemon = bridge()
    assert poll(daemon, clients=(ALICE,)) == (1, 0)
    for changed in (
        structs.replace(FORMAT_1, connected_since=SINCE + 1),
        structs.replace(FORMAT_1, real_address="192.0.2.7:5"),
        structs.replace(FORMAT_1, common_name="bob"),
    ):
        assert poll(daemon, clients=(ALICE,), pending=(changed,)) == (1, 1)


def test_the_log_lines_of_another_process_count_as_those_of_the_first() -> None:
    daemon = bridge()
    daemon.on_pid(1)
    log_history(daemon, push_reply())
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    daemon.on_connect()
    daemon.on_pid(2)
    log_history(daemon, push_reply(SINCE + 101))
    restarted = structs.replace(ALICE, connected_since=SINCE + 100, client_id=0)
    assert poll(daemon, pending=(restarted,)) == (1, 0)
    assert daemon.clients.sessions.disconnects == 1


def test_a_flood_of_logins_keeps_the_last_ones() -> None:
    logins = LoggedLogins()
    for number in range(10_005):
        logins.add(LoginLine("alice", f"192.0.2.7:{number}", SINCE))
        logins.add(LoginLine(f"{number}", "::1", SINCE))
    logins.on_status_received()
    proven = [
        logins.proves(structs.replace(ALICE, real_address=f"192.0.2.7:{number}"))
        for number in range(10_005)
    ]
    assert proven.count(True) == 10_000 - 1
    assert proven[-1]
