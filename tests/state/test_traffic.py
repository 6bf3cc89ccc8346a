"""A daemon's own totals, over restarts and with the data path in the kernel."""

from exporter.config.schema import ClientsConfig
from exporter.management.batches import run_batches
from exporter.management.replies import LoadStats
from exporter.management.status import ClientRow, ServerStatus, TunnelStatus
from exporter.state.clients import ClientTable
from exporter.state.traffic import FIELDS, ByteRate, Traffic, TunnelCounters


def moved(received: int, sent: int) -> ServerStatus:
    """Return a status with one client that has moved so much."""
    client = ClientRow("alice", "192.0.2.7:4", "10.8.0.2", "", received, sent, 100, client_id=0)
    return ServerStatus(updated=1, clients=(client,), pending=(), route_count=1)


class Daemon:
    """Traffic and client table, updated as by the state of a daemon."""

    def __init__(self) -> None:
        self.traffic = Traffic(absolute=True)
        self.table = ClientTable(ClientsConfig(), absolute=True)

    def poll(
        self,
        load: tuple[int, int] | None,
        clients: tuple[int, int] = (0, 0),
        *,
        dco: bool = False,
        now: float = 0.0,
    ) -> None:
        run_batches(self.table.update(moved(*clients), 1.0))
        load_stats = None if load is None else LoadStats(1, *load)
        rows = LoadStats(0, self.table.received_bytes, self.table.sent_bytes)
        self.traffic.update(load_stats, rows, dco=dco, now=now)

    @property
    def totals(self) -> tuple[int, int]:
        return self.traffic.received_bytes, self.traffic.sent_bytes


def test_load_stats_are_used_without_dco() -> None:
    daemon = Daemon()
    daemon.poll((100, 10), (70, 7))
    daemon.poll((150, 20), (90, 9))
    assert daemon.totals == (150, 20)


def test_a_value_that_fell_is_a_new_process() -> None:
    daemon = Daemon()
    daemon.poll((100, 10))
    daemon.poll((30, 3))
    assert daemon.totals == (130, 13)


def test_a_restart_counts_even_if_its_values_are_greater() -> None:
    daemon = Daemon()
    daemon.poll((100, 10))
    daemon.traffic.restart()
    daemon.poll((130, 13))
    assert daemon.totals == (230, 23)


def test_sums_over_clients_are_used_under_dco() -> None:
    daemon = Daemon()
    daemon.poll((5, 4), (1000, 500), dco=True)
    daemon.poll((6, 5), (1800, 900), dco=True)
    assert daemon.totals == (1800, 900)


def test_rows_are_used_while_load_stats_are_missing() -> None:
    daemon = Daemon()
    daemon.poll((1000, 100), (70, 7))
    daemon.poll(None, (90, 9))
    assert daemon.totals == (1020, 102)
    daemon.poll((5000, 500), (95, 10))  # it contains what the rows had counted
    assert daemon.totals == (1025, 103)
    daemon.poll((5010, 501), (96, 11))
    assert daemon.totals == (1035, 104)


def test_load_stats_that_come_late_are_no_jump() -> None:
    daemon = Daemon()
    daemon.poll(None, (70, 7))
    daemon.poll((1_000_000, 100_000), (80, 8))
    daemon.poll((1_000_100, 100_010), (90, 9))
    assert daemon.totals == (180, 18)


def test_sums_over_clients_are_used_under_dco_over_restarts() -> None:
    daemon = Daemon()
    daemon.poll((5, 4), (1000, 500), dco=True)
    daemon.traffic.restart()
    run_batches(daemon.table.restart())
    daemon.poll((1, 1), (1200, 600), dco=True)
    assert daemon.totals == (2200, 1100)


def test_a_daemon_that_changes_its_data_path_counts_nothing_twice() -> None:
    daemon = Daemon()
    daemon.poll((100, 10), (90, 9))
    daemon.poll((110, 11), (190, 19), dco=True)
    daemon.poll((160, 16), (240, 24))
    assert daemon.totals == (100 + 100 + 50, 10 + 10 + 5)


class TestRate:
    def test_is_the_mean_between_the_last_two_polls(self) -> None:
        daemon = Daemon()
        daemon.poll((1000, 100), now=10.0)
        daemon.poll((1500, 200), now=15.0)
        assert daemon.traffic.rate == ByteRate(received=100.0, sent=20.0)
        daemon.poll((1500, 200), now=30.0)
        assert daemon.traffic.rate == ByteRate(received=0.0, sent=0.0)

    def test_is_unknown_after_the_first_poll_of_a_process(self) -> None:
        daemon = Daemon()
        daemon.poll((1000, 100), now=10.0)
        assert daemon.traffic.rate is None
        daemon.poll((1500, 200), now=15.0)
        daemon.traffic.restart()
        assert daemon.traffic.rate is None
        daemon.poll((50, 20), now=20.0)
        assert daemon.traffic.rate is None

    def test_is_that_of_the_clients_under_dco(self) -> None:
        daemon = Daemon()
        daemon.poll((5, 4), (1000, 500), dco=True, now=10.0)
        daemon.poll((6, 5), (1800, 900), dco=True, now=20.0)
        assert daemon.traffic.rate == ByteRate(received=80.0, sent=40.0)

    def test_is_unknown_after_the_clock_was_set_back(self) -> None:
        daemon = Daemon()
        daemon.poll((1000, 100), now=10.0)
        daemon.poll((1500, 200), now=10.0)
        assert daemon.traffic.rate is None


def test_tunnel_fields_are_the_counters_of_a_status() -> None:
    assert {*FIELDS, "updated", "unparsed"} == set(TunnelStatus.__struct_fields__)


def test_only_rows_that_the_daemon_printed_have_a_total() -> None:
    traffic = TunnelCounters(absolute=True)
    assert traffic.totals == {}
    traffic.update(TunnelStatus(updated=1, tun_tap_read=5, auth_read=0))
    assert traffic.totals == {"tun_tap_read": 5, "auth_read": 0}


def test_every_row_is_summed_on_its_own() -> None:
    traffic = TunnelCounters(absolute=True)
    rows = {field: 10 * place for place, field in enumerate(FIELDS)}
    traffic.update(TunnelStatus(updated=1, **rows))
    traffic.update(TunnelStatus(updated=2, **{field: value + 1 for field, value in rows.items()}))
    assert traffic.totals == {field: value + 1 for field, value in rows.items()}


def test_statistics_that_were_reset_continue() -> None:
    traffic = TunnelCounters(absolute=True)
    traffic.update(TunnelStatus(updated=1, tcp_udp_read=100, tcp_udp_write=10))
    traffic.update(TunnelStatus(updated=2, tcp_udp_read=40, tcp_udp_write=12))
    assert traffic.totals == {"tcp_udp_read": 140, "tcp_udp_write": 12}


def test_all_bytes_of_a_new_connection_count() -> None:
    traffic = TunnelCounters(absolute=True)
    traffic.update(TunnelStatus(updated=1, tcp_udp_read=100))
    traffic.restart()
    traffic.update(TunnelStatus(updated=2, tcp_udp_read=150))
    assert traffic.totals == {"tcp_udp_read": 250}


def test_a_row_that_is_missing_for_a_while_keeps_its_total() -> None:
    traffic = TunnelCounters(absolute=True)
    traffic.update(TunnelStatus(updated=1, pre_compress=7))
    traffic.update(TunnelStatus(updated=2))
    traffic.update(TunnelStatus(updated=3, pre_compress=9))
    assert traffic.totals == {"pre_compress": 9}
