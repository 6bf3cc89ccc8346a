from exporter.management.status import TunnelStatus
from exporter.state.tunnel import FIELDS, TunnelCounters


def test_fields_are_the_counters_of_a_status() -> None:
    assert {*FIELDS, "updated", "unparsed"} == set(TunnelStatus.__struct_fields__)


def test_only_rows_that_the_daemon_printed_have_a_total() -> None:
    traffic = TunnelCounters()
    assert traffic.totals == {}
    traffic.update(TunnelStatus(updated=1, tun_tap_read=5, auth_read=0))
    assert traffic.totals == {"tun_tap_read": 5, "auth_read": 0}


def test_every_row_is_summed_on_its_own() -> None:
    traffic = TunnelCounters()
    rows = {field: 10 * place for place, field in enumerate(FIELDS)}
    traffic.update(TunnelStatus(updated=1, **rows))
    traffic.update(TunnelStatus(updated=2, **{field: value + 1 for field, value in rows.items()}))
    assert traffic.totals == {field: value + 1 for field, value in rows.items()}


def test_statistics_that_began_again_go_on_upward() -> None:
    traffic = TunnelCounters()
    traffic.update(TunnelStatus(updated=1, tcp_udp_read=100, tcp_udp_write=10))
    traffic.update(TunnelStatus(updated=2, tcp_udp_read=40, tcp_udp_write=12))
    assert traffic.totals == {"tcp_udp_read": 140, "tcp_udp_write": 12}


def test_a_new_connection_that_has_moved_more_already_counts_whole() -> None:
    traffic = TunnelCounters()
    traffic.update(TunnelStatus(updated=1, tcp_udp_read=100))
    traffic.restart()
    traffic.update(TunnelStatus(updated=2, tcp_udp_read=150))
    assert traffic.totals == {"tcp_udp_read": 250}


def test_a_row_that_is_missing_for_a_while_keeps_its_total() -> None:
    traffic = TunnelCounters()
    traffic.update(TunnelStatus(updated=1, pre_compress=7))
    traffic.update(TunnelStatus(updated=2))
    traffic.update(TunnelStatus(updated=3, pre_compress=9))
    assert traffic.totals == {"pre_compress": 9}
