"""The first status of a daemon: what was before the exporter does not count.

`increase()` over a restart of the exporter adds the first values of the new process.
"""

import itertools
from collections.abc import Sequence

import pytest

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import TcpEndpoint
from exporter.management.replies import LoadStats, Poll
from exporter.management.state import State, StateName
from exporter.management.status import ClientRow, ServerStatus, TunnelStatus
from exporter.state.daemon import DaemonState

NOW = 1_795_406_000
START = State(NOW - 5000, StateName.CONNECTING, "")
CONNECTED = State(NOW - 4998, StateName.CONNECTED, "SUCCESS")
LATE_START = State(NOW - 30, StateName.CONNECTING, "")
RECONNECTING = State(NOW - 30, StateName.RECONNECTING, "ping-restart")


def new_daemon(*, absolute: bool = False) -> DaemonState:
    config = DaemonConfig(name="office", management=TcpEndpoint("127.0.0.1", 7505))
    return DaemonState(Target(config), absolute=absolute)


def start_session(daemon: DaemonState, *history: State, pid: int = 1) -> DaemonState:
    daemon.on_connect()
    daemon.on_pid(pid)
    daemon.on_state_history(history)
    return daemon


def row(received: int, *, client_id: int = 0, since: int = NOW - 1000) -> ClientRow:
    address = f"192.0.2.7:{client_id}"
    return ClientRow("alice", address, "10.8.0.2", "", received, 0, since, client_id=client_id)


def poll(
    daemon: DaemonState,
    *rows: ClientRow,
    load: int = 0,
    monitored_for: float = 0.0,
    unparsed: int = 0,
    offset: int = 0,
) -> None:
    """Take a status; the daemon's clock is `offset` seconds ahead."""
    status = ServerStatus(NOW + offset, rows, (), 0, title="OpenVPN 2.6.14", unparsed=unparsed)
    take(daemon, Poll(LoadStats(1, load, 2 * load), status), monitored_for)


def poll_tunnel(daemon: DaemonState, read: int, *, monitored_for: float = 0.0) -> None:
    status = TunnelStatus(updated=NOW, tcp_udp_read=read)
    take(daemon, Poll(LoadStats(0, read, 0), status), monitored_for)


def take(daemon: DaemonState, reply: Poll, monitored_for: float) -> None:
    daemon.on_status_received()
    run_batches(daemon.on_poll(reply, now=NOW, duration=0.1, monitored_for=monitored_for))


def counters(daemon: DaemonState) -> tuple[int, int, int]:
    """Return the bytes of the clients and of the daemon, and the connects."""
    clients = daemon.clients
    assert clients.received_bytes == sum(
        totals.received_bytes for totals in clients.totals.values()
    )
    return clients.received_bytes, daemon.traffic.received_bytes, clients.sessions.connects


def increase(values: Sequence[int]) -> int:
    """Return what Prometheus' `increase()` adds up: all of a value that fell."""
    return sum(
        after - before if after >= before else after for before, after in itertools.pairwise(values)
    )


def test_bytes_from_before_the_exporter_do_not_count() -> None:
    daemon = start_session(new_daemon(), START, CONNECTED)
    poll(daemon, row(100), load=1000)
    assert counters(daemon) == (0, 0, 0)
    poll(daemon, row(105), row(7, client_id=1, since=NOW), load=1012)
    assert counters(daemon) == (12, 12, 1)
    assert daemon.traffic.sent_bytes == 24


def test_increase_over_a_restart_of_the_exporter_is_what_was_moved() -> None:
    first = start_session(new_daemon(), START, CONNECTED)
    seen = []
    for rows in (
        [],
        [row(60, since=NOW)],
        [row(60, since=NOW), row(40, client_id=1, since=NOW)],
        [row(40, client_id=1, since=NOW)],
    ):
        poll(first, *rows)
        seen.append(counters(first)[0])
    second = start_session(new_daemon(), START, CONNECTED)
    for received in (40, 45):
        poll(second, row(received, client_id=1, since=NOW))
        seen.append(counters(second)[0])
    assert increase(seen) == 105


def test_the_statistics_of_a_tunnel_from_before_the_exporter_do_not_count() -> None:
    daemon = start_session(new_daemon(), START, CONNECTED)
    poll_tunnel(daemon, 500)
    assert (daemon.tunnel.totals, daemon.traffic.received_bytes) == ({"tcp_udp_read": 0}, 0)
    poll_tunnel(daemon, 507)
    assert (daemon.tunnel.totals, daemon.traffic.received_bytes) == ({"tcp_udp_read": 7}, 7)


def test_statistics_that_a_tunnel_prints_later_count_whole() -> None:
    daemon = start_session(new_daemon(), START, CONNECTED)
    poll_tunnel(daemon, 500)
    run_batches(
        daemon.on_poll(
            Poll(LoadStats(0, 0, 0), TunnelStatus(NOW, tcp_udp_read=500, pre_compress=9)),
            now=NOW,
            duration=0.1,
        )
    )
    assert daemon.tunnel.totals == {"tcp_udp_read": 0, "pre_compress": 9}


def test_a_single_poll_shows_what_the_daemon_says() -> None:
    daemon = start_session(new_daemon(absolute=True), START, CONNECTED)
    poll(daemon, row(100), load=1000)
    assert counters(daemon) == (100, 1000, 0)
    tunnel = start_session(new_daemon(absolute=True), START, CONNECTED)
    poll_tunnel(tunnel, 500)
    assert (tunnel.tunnel.totals, tunnel.traffic.received_bytes) == ({"tcp_udp_read": 500}, 500)


class TestBeganAfterTheExporter:
    """The exporter has monitored for a minute when the daemon first answers."""

    def test_a_process_counts_from_its_beginning(self) -> None:
        daemon = start_session(new_daemon(), LATE_START)
        poll(daemon, row(100, since=NOW - 20), load=120, monitored_for=60.0)
        assert counters(daemon) == (100, 120, 1)

    def test_only_its_sessions_do_where_the_process_is_older(self) -> None:
        daemon = start_session(new_daemon(), START, CONNECTED)
        poll(daemon, row(100), row(30, client_id=1, since=NOW - 20), load=900, monitored_for=60.0)
        assert counters(daemon) == (30, 0, 1)

    @pytest.mark.parametrize("since", [NOW - 60, NOW - 59, NOW + 5, 5])
    def test_a_session_whose_start_is_in_doubt_does_not(self, since: int) -> None:
        daemon = start_session(new_daemon(), START, CONNECTED)
        poll(daemon, row(100, since=since), monitored_for=60.0)
        assert counters(daemon) == (0, 0, 0)

    @pytest.mark.parametrize("offset", [-100_000, 100_000])
    def test_the_clock_of_the_daemon_may_be_wrong(self, offset: int) -> None:
        daemon = start_session(new_daemon(), State(NOW + offset - 5000, StateName.CONNECTING, ""))
        poll(daemon, row(50, since=NOW + offset - 70), load=50, monitored_for=60.0, offset=offset)
        assert counters(daemon) == (0, 0, 0)
        daemon = start_session(new_daemon(), State(NOW + offset - 30, StateName.CONNECTING, ""))
        poll(daemon, row(50, since=NOW + offset - 20), load=50, monitored_for=60.0, offset=offset)
        assert counters(daemon) == (50, 50, 1)

    def test_the_process_of_a_tunnel_counts_from_its_beginning(self) -> None:
        daemon = start_session(new_daemon(), LATE_START)
        poll_tunnel(daemon, 500, monitored_for=60.0)
        assert (daemon.tunnel.totals, daemon.traffic.received_bytes) == ({"tcp_udp_read": 500}, 500)

    def test_a_tunnel_that_reconnected_has_new_statistics(self) -> None:
        daemon = start_session(new_daemon(), START, CONNECTED, RECONNECTING, CONNECTED)
        poll_tunnel(daemon, 500, monitored_for=60.0)
        assert (daemon.tunnel.totals, daemon.traffic.received_bytes) == ({"tcp_udp_read": 500}, 0)


def test_a_process_that_restarts_before_the_first_status_counts_from_its_beginning() -> None:
    daemon = start_session(new_daemon(), START, CONNECTED)
    start_session(daemon, LATE_START, pid=2)
    poll(daemon, row(100, since=NOW - 20), load=120)
    assert counters(daemon) == (100, 120, 1)


def test_a_session_in_an_unreadable_line_of_the_first_status_does_not_count_later() -> None:
    daemon = start_session(new_daemon(), START, CONNECTED)
    poll(daemon, unparsed=1)
    poll(daemon, row(100), unparsed=1)
    assert counters(daemon) == (0, 0, 0)
    poll(daemon, row(103), row(50, client_id=1, since=NOW + 1))
    assert counters(daemon) == (53, 0, 1)
    poll(daemon, row(103), row(50, client_id=1, since=NOW + 1), row(4, client_id=2))
    assert counters(daemon) == (57, 0, 2)
