import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec import structs

from exporter.config.schema import PrivacyMode
from exporter.config.secret_files import PrivacyKey
from exporter.management.peer import PeerInfo
from exporter.state.daemon import DaemonState
from exporter.web.view.clients import (
    BATCH_SIZE,
    ClientStatus,
    ClientView,
    client_batches,
    clients_note,
)
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    poll,
    server,
    server_status,
    take_down,
    tunnel,
)

BOB = structs.replace(OFFICE_CLIENT, common_name="bob", username="", client_id=5)

ALICE_VIEW = ClientView(
    status=ClientStatus.CONNECTED,
    name="alice",
    expected=True,
    username="alice@office",
    real_address="192.0.2.7",
    virtual_address="10.8.0.6",
    virtual_ipv6_address="fd00::6",
    connected_since=NOON - 3600,
    received_bytes=5000,
    sent_bytes=7000,
    received_bytes_per_second=5000 / 3600,
    sent_bytes_per_second=7000 / 3600,
    last_seen=NOON,
    cipher="AES-256-GCM",
    certificate="revoked",
)
BOB_MISSING = ClientView(status=ClientStatus.MISSING, name="bob", expected=True)


def clients(daemon: DaemonState) -> list[ClientView]:
    return [client for batch in client_batches(daemon) for client in batch]


def statuses(daemon: DaemonState) -> Mapping[str, str]:
    return {client.name: client.status.value for client in clients(daemon)}


def configured(daemon: DaemonState, **changes: object) -> DaemonState:
    config = structs.replace(daemon.target.clients, **changes)
    daemon.reconfigure(structs.replace(daemon.target, clients=config))
    return daemon


def test_missing_clients_come_before_the_connected_ones() -> None:
    assert clients(server()) == [BOB_MISSING, ALICE_VIEW]


def test_clients_that_have_left_come_last_until_they_are_forgotten() -> None:
    daemon = server("office", [BOB, OFFICE_CLIENT], expected=["alice"])
    poll(daemon, server_status([OFFICE_CLIENT]), now=NOON + 15)
    assert clients(daemon)[1:] == [
        ClientView(status=ClientStatus.LEFT, name="bob", expected=False, last_seen=NOON)
    ]
    poll(daemon, server_status([OFFICE_CLIENT]), now=NOON + 3601)
    assert statuses(daemon) == {"alice": "connected"}


def test_a_missing_client_was_last_seen_at_the_last_poll_with_it() -> None:
    daemon = server()
    poll(daemon, server_status(), now=NOON + 7200)
    assert [client.last_seen for client in clients(daemon)] == [NOON, None]
    assert set(statuses(daemon).values()) == {"missing"}


def test_each_session_is_a_row() -> None:
    other = structs.replace(OFFICE_CLIENT, client_id=9, virtual_address="10.8.0.7")
    daemon = server("office", [OFFICE_CLIENT, other], expected=())
    assert [client.virtual_address for client in clients(daemon)] == ["10.8.0.6", "10.8.0.7"]


def test_platform_and_version_are_those_that_the_client_announced() -> None:
    daemon = server()
    (session,) = daemon.clients.sessions.current
    session.peer_info = PeerInfo("linux", "2.6.14", "openvpn-connect")
    client = clients(daemon)[1]
    assert (client.platform, client.client_version, client.gui) == (
        "linux",
        "2.6.14",
        "openvpn-connect",
    )


class TestRate:
    def test_is_the_growth_between_the_last_two_polls(self) -> None:
        daemon = server()
        grown = structs.replace(OFFICE_CLIENT, received_bytes=5000 + 300, sent_bytes=7000 + 30)
        poll(daemon, structs.replace(server_status([grown]), updated=NOON + 30), now=NOON + 31)
        client = clients(daemon)[1]
        assert client.received_bytes_per_second == 10.0
        assert client.sent_bytes_per_second == 1.0
        assert client.bytes_per_second == 11.0

    def test_of_a_new_session_is_that_since_its_start(self) -> None:
        daemon = server("office", [], expected=())
        row = structs.replace(OFFICE_CLIENT, connected_since=NOON + 10, received_bytes=1000)
        poll(daemon, structs.replace(server_status([row]), updated=NOON + 20), now=NOON + 20)
        assert clients(daemon)[0].received_bytes_per_second == 100.0

    def test_is_unknown_without_time_between_the_polls(self) -> None:
        daemon = server()
        poll(daemon, server_status([OFFICE_CLIENT]))
        assert clients(daemon)[1].bytes_per_second is None


class TestHidden:
    def test_without_info_there_are_no_addresses_and_user_names(self) -> None:
        assert clients(configured(server(), info=False))[1] == ClientView(
            status=ClientStatus.CONNECTED,
            name="alice",
            expected=True,
            connected_since=NOON - 3600,
            received_bytes=5000,
            sent_bytes=7000,
            received_bytes_per_second=5000 / 3600,
            sent_bytes_per_second=7000 / 3600,
            last_seen=NOON,
            certificate="revoked",
        )

    def test_without_series_there_are_no_traffic_and_no_times(self) -> None:
        daemon = server("office", [OFFICE_CLIENT, BOB], expected=())
        poll(daemon, server_status([OFFICE_CLIENT]), now=NOON + 15)
        assert clients(configured(daemon, series=False)) == [
            ClientView(
                status=ClientStatus.CONNECTED,
                name="alice",
                expected=False,
                username="alice@office",
                real_address="192.0.2.7",
                virtual_address="10.8.0.6",
                virtual_ipv6_address="fd00::6",
                cipher="AES-256-GCM",
            )
        ]

    def test_without_both_only_expected_clients_are_named(self) -> None:
        daemon = server("office", [OFFICE_CLIENT, BOB], expected=("alice", "carol"))
        configured(daemon, series=False, info=False)
        assert clients(daemon) == [
            ClientView(status=ClientStatus.MISSING, name="carol", expected=True),
            ClientView(status=ClientStatus.CONNECTED, name="alice", expected=True),
        ]

    def test_pseudonyms_replace_names_and_networks_addresses(self) -> None:
        daemon = configured(
            server(),
            privacy=PrivacyMode.PSEUDONYM,
            privacy_key_file=PrivacyKey(Path("key"), b"k" * 16),
        )
        missing, connected = clients(daemon)
        assert connected.name.startswith("p-")
        assert connected.username.startswith("p-")
        assert missing.name.startswith("p-")
        assert connected.real_address == "192.0.2.0/24"
        assert connected.virtual_address == "10.8.0.0/24"
        assert connected.virtual_ipv6_address == "fd00::/48"

    @pytest.mark.parametrize("daemon", [server(), tunnel()], ids=["privacy", "tunnel"])
    def test_there_are_none_if_they_are_private_or_the_daemon_is_no_server(
        self, daemon: DaemonState
    ) -> None:
        assert clients(configured(daemon, privacy=PrivacyMode.NONE)) == []

    def test_there_are_none_while_the_daemon_is_down(self) -> None:
        daemon = server()
        take_down(daemon)
        assert clients(daemon) == []


def test_no_more_than_the_limit_is_shown() -> None:
    rows = [
        structs.replace(OFFICE_CLIENT, common_name=f"c{number}", client_id=number)
        for number in range(5)
    ]
    daemon = server("office", [], expected=())
    configured(daemon, limit=3)
    poll(daemon, server_status(rows))
    assert len(clients(daemon)) == 3
    assert clients_note(daemon) == "2 more are beyond 'clients.limit'."


def test_expected_clients_that_a_reload_drops_between_two_batches_are_left_out() -> None:
    names = [f"c{number}" for number in range(2 * BATCH_SIZE)]
    daemon = server("office", [], expected=names)
    batches = client_batches(daemon)
    assert len(next(batches)) == BATCH_SIZE
    config = structs.replace(daemon.target.daemon, expected_clients=())
    daemon.reconfigure(structs.replace(daemon.target, daemon=config))
    poll(daemon, server_status(), now=NOON + 15)
    assert list(itertools.chain(*batches)) == []


def test_a_batch_has_a_bounded_number_of_clients() -> None:
    rows = [
        structs.replace(OFFICE_CLIENT, common_name=f"c{number}", client_id=number)
        for number in range(3 * BATCH_SIZE)
    ]
    daemon = server("office", rows, expected=())
    sizes = [len(batch) for batch in client_batches(daemon)]
    assert (max(sizes), sum(sizes)) == (BATCH_SIZE, 3 * BATCH_SIZE)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({}, ""),
        ({"privacy": PrivacyMode.NONE}, "Clients are hidden by 'privacy'."),
        (
            {"series": False, "info": False},
            "'clients.series' and 'clients.info' are off: only expected clients are shown.",
        ),
    ],
)
def test_a_note_says_why_clients_are_not_shown(changes: Mapping[str, object], note: str) -> None:
    assert clients_note(configured(server(), **changes)) == note


def test_a_note_says_that_clients_are_unknown() -> None:
    daemon = server()
    take_down(daemon)
    assert clients_note(daemon) == "Clients are unknown while the daemon is not up."
