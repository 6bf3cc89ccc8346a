"""The samples of daemons whose state is known exactly."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import structs

from exporter.certificates.source import (
    CertificateDirective,
    CertificateFileState,
    CertificateSource,
    FileProblem,
)
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import parse_endpoint
from exporter.management.notifications import ClientEvent, LogLine, StateChange
from exporter.management.replies import Poll
from exporter.management.state import State, StateName
from exporter.management.status import ClientRow, RouteRow
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.encode import render
from exporter.metrics.families import certificates
from exporter.state.daemon import DaemonState
from exporter.state.status_order import StatusFileContent
from tests.metrics.daemons import (
    CERTIFICATES,
    NOON,
    OFFICE_CLIENT,
    TUNNEL,
    new_daemon,
    office_daemon,
    poll,
    server,
    server_status,
    start_session,
    take_down,
    tunnel,
)
from tests.metrics.parsing import scrape, values

Samples = list[tuple[dict[str, str], float]]


def samples(daemon: DaemonState, name: str) -> Samples:
    """Return the samples of a metric, without the label `daemon`."""
    return [
        ({key: value for key, value in series.labels if key != "daemon"}, value)
        for series, value in values(scrape(FAMILIES, [daemon], "")).items()
        if series.name == name
    ]


ALICE = {"common_name": "alice"}
INFO = "openvpn_server_client_info"


class TestServer:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("openvpn_up", [({}, 1)]),
            ("openvpn_management_up", [({}, 1)]),
            ("openvpn_start_time_seconds", [({}, NOON - 7200)]),
            ("openvpn_log_verbosity", [({}, 3)]),
            ("openvpn_state_since_timestamp_seconds", [({}, NOON - 7200)]),
            ("openvpn_status_update_time_seconds", [({}, NOON)]),
            ("openvpn_received_bytes_total", [({}, 9000)]),
            ("openvpn_sent_bytes_total", [({}, 8000)]),
            ("openvpn_server_connected_clients", [({}, 1)]),
            ("openvpn_server_pending_clients", [({}, 0)]),
            ("openvpn_server_max_clients", [({}, 200)]),
            ("openvpn_server_address_pool_size", [({}, 250)]),
            ("openvpn_server_routes", [({}, 1)]),
            ("openvpn_server_max_bcast_mcast_queue_length", [({}, 2)]),
            ("openvpn_server_dco_enabled", [({}, 0)]),
            ("openvpn_server_clients_by_cipher", [({"cipher": "AES-256-GCM"}, 1)]),
            ("openvpn_server_client_connected_timestamp_seconds", [(ALICE, NOON - 3600)]),
            ("openvpn_server_client_last_seen_timestamp_seconds", []),
            ("openvpn_exporter_poll_duration_seconds", [({}, 0.025)]),
            ("openvpn_exporter_polls_total", [({}, 1)]),
            ("openvpn_exporter_clients_not_exported", [({}, 0)]),
            ("openvpn_client_tun_tap_read_bytes_total", []),
        ],
    )
    def test_has_these_samples(self, name: str, expected: Samples) -> None:
        assert samples(server(expected=()), name) == expected

    def test_counts_each_poll_by_its_duration(self) -> None:
        daemon = server()  # in 0.025 s
        for duration in (7.5, 0.001):
            run_batches(daemon.on_poll(Poll(None, server_status()), now=NOON, duration=duration))
        assert samples(daemon, "openvpn_exporter_poll_duration_seconds") == [({}, 0.001)]
        take_down(daemon)
        buckets = dict[float, float]()
        for labels, count in samples(daemon, "openvpn_exporter_poll_seconds_bucket"):
            buckets[float(labels["le"])] = count
        assert buckets == {
            0.01: 1,
            **dict.fromkeys((0.05, 0.1, 0.5, 1, 2.5, 5), 2),
            **dict.fromkeys((10, float("inf")), 3),
        }
        assert samples(daemon, "openvpn_exporter_poll_seconds_count") == [({}, 3)]
        assert samples(daemon, "openvpn_exporter_poll_seconds_sum") == [({}, 0.025 + 7.5 + 0.001)]

    def test_counts_ciphers_of_its_sessions_and_not_of_an_older_status_file(self) -> None:
        config = structs.replace(office_daemon(), status_file=Path("status.log"))
        daemon = DaemonState(Target(config))
        start_session(daemon)
        poll(daemon, server_status([OFFICE_CLIENT]))
        take_down(daemon)
        other = structs.replace(OFFICE_CLIENT, client_id=5, cipher="CHACHA20-POLY1305")
        for written_at, cipher in ((NOON - 5, OFFICE_CLIENT.cipher), (NOON + 5, other.cipher)):
            file = StatusFileContent(server_status([other]), written_at, b"%d" % written_at)
            run_batches(daemon.on_status_file(file, now=NOON + 10, duration=0.01))
            assert samples(daemon, "openvpn_server_clients_by_cipher") == [({"cipher": cipher}, 1)]

    @pytest.mark.parametrize(
        ("metric", "amount"),
        [("received_bytes_total", 5000), ("sent_bytes_total", 7000), ("sessions", 1)],
    )
    def test_has_a_sample_for_each_client(self, metric: str, amount: int) -> None:
        found = samples(server(expected=()), f"openvpn_server_client_{metric}")
        assert found == [(ALICE, amount)]

    def test_describes_a_session_without_the_port(self) -> None:
        ((labels, value),) = samples(server(), INFO)
        announced = {"platform", "client_version"}
        assert value == 1
        assert {key: text for key, text in labels.items() if key not in announced} == {
            "common_name": "alice",
            "username": "alice@office",
            "real_address": "192.0.2.7",
            "virtual_address": "10.8.0.6",
            "virtual_ipv6_address": "fd00::6",
            "cipher": "AES-256-GCM",
        }

    @pytest.mark.parametrize(
        ("address", "host"),
        [
            ("udp4:192.0.2.7:51820", "192.0.2.7"),
            ("tcp6-server:[2001:db8::7]:60260", "2001:db8::7"),
            ("udp6:192.0.2.7:39244", "192.0.2.7"),
        ],
    )
    def test_shows_the_host_of_any_real_address(self, address: str, host: str) -> None:
        daemon = server(clients=[structs.replace(OFFICE_CLIENT, real_address=address)])
        ((labels, _),) = samples(daemon, INFO)
        assert labels["real_address"] == host

    def test_has_the_same_series_for_a_session_that_only_begins_anew(self) -> None:
        daemon = server()
        before = samples(daemon, INFO)
        again = structs.replace(
            OFFICE_CLIENT, client_id=5, real_address="192.0.2.7:40001", connected_since=NOON
        )
        poll(daemon, server_status([again]), now=NOON + 15)
        assert samples(daemon, "openvpn_server_client_disconnects_total") == [({}, 1)]
        assert samples(daemon, INFO) == before

    def test_numbers_sessions_with_equal_labels(self) -> None:
        second = structs.replace(OFFICE_CLIENT, client_id=9, real_address="192.0.2.7:40000")
        third = structs.replace(OFFICE_CLIENT, client_id=10)  # no port: IPv6 up to 2.6
        infos = samples(server(clients=[OFFICE_CLIENT, second, third]), INFO)
        assert [labels.pop("session", "") for labels, _ in infos] == ["", "2", "3"]
        assert infos[0] == infos[1] == infos[2]

    def test_sums_the_sessions_of_a_common_name(self) -> None:
        second = structs.replace(
            OFFICE_CLIENT, client_id=9, real_address="198.51.100.4:40000", connected_since=NOON - 60
        )
        daemon = server(clients=[OFFICE_CLIENT, second], expected=())
        assert samples(daemon, "openvpn_server_client_sessions") == [(ALICE, 2)]
        assert samples(daemon, "openvpn_server_client_received_bytes_total") == [(ALICE, 10_000)]
        since = samples(daemon, "openvpn_server_client_connected_timestamp_seconds")
        assert since == [(ALICE, NOON - 3600)]
        assert len(samples(daemon, INFO)) == 2

    def test_counts_pending_rows_separately(self) -> None:
        daemon = new_daemon()
        start_session(daemon)
        scan = structs.replace(OFFICE_CLIENT, common_name="", virtual_address="")
        poll(daemon, structs.replace(server_status([OFFICE_CLIENT]), pending=(scan, scan)))
        assert samples(daemon, "openvpn_server_connected_clients") == [({}, 1)]
        assert samples(daemon, "openvpn_server_pending_clients") == [({}, 2)]

    def test_lists_expected_clients_connected_or_not(self) -> None:
        found = samples(server(expected=("bob", "alice")), EXPECTED)
        assert found == [(ALICE, 1), ({"common_name": "bob"}, 0)]

    def test_has_no_sample_of_an_unknown_value(self) -> None:
        daemon = new_daemon()
        start_session(daemon)
        old = structs.replace(server_status(), dco_enabled=None, max_queue_length=None)
        poll(daemon, old)
        assert samples(daemon, "openvpn_server_dco_enabled") == []
        assert samples(daemon, "openvpn_server_max_bcast_mcast_queue_length") == []

    def test_keeps_a_disconnected_client_at_0_sessions(self) -> None:
        daemon = server(expected=())
        poll(daemon, server_status(), now=NOON + 15)
        assert samples(daemon, "openvpn_server_client_sessions") == [(ALICE, 0)]
        seen = samples(daemon, "openvpn_server_client_last_seen_timestamp_seconds")
        assert seen == [(ALICE, NOON)]
        assert samples(daemon, "openvpn_server_client_received_bytes_total") == [(ALICE, 5000)]
        assert samples(daemon, "openvpn_server_client_connected_timestamp_seconds") == []
        assert samples(daemon, INFO) == []


EXPECTED = "openvpn_server_expected_client_connected"


class TestTunnel:
    @pytest.mark.parametrize(
        ("row", "amount"),
        [
            ("tun_tap_read", 1),
            ("tun_tap_write", 2),
            ("tcp_udp_read", 3),
            ("tcp_udp_write", 4),
            ("auth_read", 5),
            ("pre_compress", 6),
            ("post_compress", 7),
            ("pre_decompress", 8),
            ("post_decompress", 9),
        ],
    )
    def test_has_each_row_of_its_statistics(self, row: str, amount: int) -> None:
        assert samples(tunnel(), f"openvpn_client_{row}_bytes_total") == [({}, amount)]

    def test_has_no_clients(self) -> None:
        assert samples(tunnel(), "openvpn_server_connected_clients") == []
        assert samples(tunnel(), INFO) == []


class TestState:
    def test_is_one_of_the_known_states(self) -> None:
        found = samples(server(), "openvpn_state")
        assert [labels for labels, value in found if value == 1] == [{"state": "CONNECTED"}]
        assert {value for _, value in found} == {0, 1}
        assert {"state": "UNKNOWN"} in [labels for labels, _ in found]

    def test_is_unknown_without_a_reply_to_state(self) -> None:
        daemon = new_daemon()
        poll(daemon, None)
        found = samples(daemon, "openvpn_state")
        assert [labels for labels, value in found if value == 1] == [{"state": "UNKNOWN"}]
        assert samples(daemon, "openvpn_state_since_timestamp_seconds") == []


def test_info_has_version_platform_and_mode() -> None:
    assert samples(server(), "openvpn_info") == [
        (
            {
                "version": "2.6.14",
                "platform": "x86_64-pc-linux-gnu",
                "mode": "server",
                "management_version": "5",
                "source": "management",
            },
            1,
        )
    ]


class TestCertificates:
    @pytest.fixture
    def daemon(self) -> DaemonState:
        daemon = new_daemon()
        daemon.set_certificates(CERTIFICATES)
        return daemon

    def test_have_a_validity_while_the_daemon_is_down(self, daemon: DaemonState) -> None:
        labels = {
            "file": "/etc/openvpn/office.crt",
            "directive": "cert",
            "subject": "office",
            "serial": "2a",
        }
        assert samples(daemon, "openvpn_certificate_not_before_timestamp_seconds") == [
            (labels, NOON - 86_400)
        ]
        assert samples(daemon, "openvpn_certificate_not_after_timestamp_seconds") == [
            (labels, NOON)
        ]

    def test_have_the_dates_of_the_newest_crl_of_each_issuer(self, daemon: DaemonState) -> None:
        labels = {"file": "/etc/openvpn/crl.pem", "issuer": "ca"}
        assert samples(daemon, "openvpn_crl_last_update_timestamp_seconds") == [(labels, NOON - 60)]
        assert samples(daemon, "openvpn_crl_next_update_timestamp_seconds") == [(labels, NOON + 5)]

    def test_have_the_reason_why_a_file_is_unusable(self, daemon: DaemonState) -> None:
        found = samples(daemon, "openvpn_certificate_file_problem")
        assert len(found) == len(CERTIFICATES) * len(FileProblem)
        assert [labels for labels, value in found if value] == [
            {"file": "/etc/openvpn/office.conf", "directive": "ca", "reason": "invalid"}
        ]

    def test_have_clean_paths_as_labels(self) -> None:
        daemon = new_daemon()
        path = Path(os.fsdecode(b'/etc/\xff\n"x'))
        daemon.set_certificates(
            [
                CertificateFileState(
                    CertificateSource(CertificateDirective.CERT, path), problem=FileProblem.MISSING
                )
            ]
        )
        found = samples(daemon, "openvpn_certificate_file_problem")
        assert {labels["file"] for labels, _ in found} == {r'/etc/\udcff\x0a"x'}


class TestChangeOfMode:
    """A daemon that was reconfigured at the same address."""

    counters = (
        "openvpn_server_client_connects_total",
        "openvpn_server_client_disconnects_total",
        "openvpn_server_client_session_duration_seconds_count",
        "openvpn_server_client_received_bytes_total",
        "openvpn_server_client_sessions",
    )

    def test_a_tunnel_that_becomes_a_server_shows_only_a_server(self) -> None:
        daemon = tunnel()
        poll(daemon, server_status([OFFICE_CLIENT]))
        assert samples(daemon, "openvpn_client_tcp_udp_read_bytes_total") == []
        assert all(samples(daemon, name) for name in self.counters)
        take_down(daemon)
        assert samples(daemon, "openvpn_client_tcp_udp_read_bytes_total") == []
        assert samples(daemon, "openvpn_server_client_connects_total") == [({}, 0)]

    def test_a_server_that_becomes_a_tunnel_shows_only_a_tunnel(self) -> None:
        daemon = server()
        poll(daemon, TUNNEL)
        assert samples(daemon, "openvpn_client_tcp_udp_read_bytes_total")
        assert not any(samples(daemon, name) for name in self.counters)
        assert samples(daemon, "openvpn_server_expected_client_connected") == [
            ({"common_name": "alice"}, 0),
            ({"common_name": "bob"}, 0),
        ]
        assert samples(daemon, "openvpn_exporter_clients_not_exported") == [({}, 0)]


class TestLabelValuesOfModes:
    counters = (
        "openvpn_state_transitions_total",
        "openvpn_reconnects_total",
        "openvpn_realtime_messages_total",
        "openvpn_log_events_total",
        "openvpn_password_failures_total",
        "openvpn_prompts_total",
    )
    gauges = ("openvpn_state", "openvpn_prompt_waiting")

    def labels(self, daemon: DaemonState, *names: str) -> set[str]:
        return {
            value
            for name in names or (*self.counters, *self.gauges)
            for labels, _ in samples(daemon, name)
            for value in labels.values()
        }

    def test_are_all_there_before_the_mode_is_known(self) -> None:
        labels = self.labels(new_daemon(), *self.counters)
        assert {"GET_CONFIG", "tls-error", "BYTECOUNT", "CLIENT", "Auth", "client_auth"} <= labels
        assert {"client_limit_reached", "tcp_connect_failed"} <= labels

    def test_are_those_of_a_server(self) -> None:
        labels = self.labels(server())
        assert {"CONNECTED", "SIGUSR1", "CLIENT", "client_limit_reached", "client_auth"} <= labels
        assert labels.isdisjoint({"GET_CONFIG", "WAIT", "tls-error", "auth-failure", "BYTECOUNT"})
        assert labels.isdisjoint({"Auth", "tcp_connect_failed", "auth_failed_received"})
        assert len(samples(server(), "openvpn_reconnects_total")) == 11

    def test_are_those_of_a_tunnel(self) -> None:
        labels = self.labels(tunnel())
        assert {"GET_CONFIG", "tls-error", "BYTECOUNT", "Auth", "auth_failed_received"} <= labels
        assert labels.isdisjoint({"CLIENT", "client_limit_reached", "client_auth"})

    def test_are_there_before_an_event_of_a_history_is_counted(self) -> None:
        daemon = tunnel()
        failed = LogLine(NOON, "", "TCP: connect to [AF_INET]192.0.2.4:443 failed: refused")
        run_batches(daemon.on_log_history([]))
        name, labels = "openvpn_log_events_total", {"event": "tcp_connect_failed"}
        assert (labels, 0) in samples(daemon, name)
        daemon.on_connect()
        run_batches(daemon.on_log_history([failed]))
        assert (labels, 1) in samples(daemon, name)

    def test_stay_once_they_were_counted(self) -> None:
        daemon = tunnel()
        lost = State(time=NOON + 1, name=StateName.RECONNECTING, description="tls-error")
        daemon.on_notification("STATE", StateChange(lost))
        poll(daemon, server_status([OFFICE_CLIENT]))
        take_down(daemon)
        assert ({"reason": "tls-error"}, 1) in samples(daemon, "openvpn_reconnects_total")
        assert ({"reason": "ping-restart"}, 0) in samples(daemon, "openvpn_reconnects_total")

    def test_of_a_server_are_there_at_0_when_a_tunnel_becomes_one(self) -> None:
        daemon = tunnel()
        poll(daemon, server_status([OFFICE_CLIENT]))
        assert ({"event": "session_replaced"}, 0) in samples(daemon, "openvpn_log_events_total")

    def test_is_shown_while_it_is_the_current_state(self) -> None:
        daemon = server()
        daemon.on_state(State(time=NOON, name=StateName.WAIT, description=""))
        assert ({"state": "WAIT"}, 1) in samples(daemon, "openvpn_state")


class TestLimit:
    """`clients.limit` bounds every metric that has series for clients."""

    LIMIT = 3

    def daemon(self, clients: Sequence[ClientRow], routes: Sequence[RouteRow] = ()) -> DaemonState:
        config = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
        daemon = DaemonState(Target(config, ClientsConfig(limit=self.LIMIT, routes=True)))
        start_session(daemon)
        for client in clients:
            env = {
                "time_unix": str(client.connected_since),
                "IV_PLAT": "linux",
                "IV_VER": f"2.{client.client_id}.0",
            }
            event = ClientEvent("ESTABLISHED", client.client_id or 0, env)
            daemon.on_notification("CLIENT", event)
        poll(daemon, server_status(clients, routes))
        return daemon

    def clients(self, names: Sequence[str]) -> list[ClientRow]:
        return [
            structs.replace(
                OFFICE_CLIENT, common_name=name, client_id=number, cipher=f"C{number}-GCM"
            )
            for number, name in enumerate(names)
        ]

    @pytest.mark.parametrize(
        "metric",
        [
            INFO,
            "openvpn_server_clients_by_cipher",
            "openvpn_server_clients_by_platform",
            "openvpn_server_client_sessions",
            "openvpn_server_route_last_reference_time_seconds",
        ],
    )
    @pytest.mark.parametrize("names", [["one"] * 10, [f"client {number}" for number in range(10)]])
    def test_no_metric_has_more_series(self, metric: str, names: list[str]) -> None:
        routes = [
            RouteRow(f"10.8.0.{number}", name, "192.0.2.7:4", NOON)
            for number, name in enumerate(names)
        ]
        found = samples(self.daemon(self.clients(names), routes), metric)
        assert len(found) == (1 if metric.endswith("sessions") and "one" in names else self.LIMIT)

    def test_the_sums_include_all_clients(self) -> None:
        daemon = self.daemon(self.clients(["one"] * 10))
        for name in ("openvpn_server_clients_by_cipher", "openvpn_server_clients_by_platform"):
            found = samples(daemon, name)
            assert sum(value for _, value in found) == 10
            assert max(value for labels, value in found if "other" in labels.values()) == 8

    def test_clients_without_series_have_no_info(self) -> None:
        daemon = self.daemon(self.clients([f"client {number}" for number in range(10)]))
        shown = {labels["common_name"] for labels, _ in samples(daemon, INFO)}
        assert shown == set(daemon.clients.totals)


def test_daemons_with_the_same_files_have_their_text_once() -> None:
    first, second = server(name="office"), server(name="lab")
    for family in certificates.FAMILIES:
        assert callable(family.source)
        lines = [render(family.metric, family.source(daemon)) for daemon in (first, second)]
        assert lines[0]
        assert lines[0] is lines[1], family.metric.name
