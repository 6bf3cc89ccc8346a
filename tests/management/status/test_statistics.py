"""The statistics of client and point-to-point daemons."""

import pytest

from exporter.management.errors import ReplyError
from exporter.management.status import TunnelStatus, parse_status

ROWS = [
    "OpenVPN STATISTICS",
    "Updated,2026-11-23 03:30:14",
    "TUN/TAP read bytes,1",
    "TUN/TAP write bytes,2",
    "TCP/UDP read bytes,3",
    "TCP/UDP write bytes,4",
    "Auth read bytes,5",
]
COMPRESSION = [
    "pre-compress bytes,6",
    "post-compress bytes,7",
    "pre-decompress bytes,8",
    "post-decompress bytes,18446744073709551615",
]
PLAIN = TunnelStatus(
    updated=1795404614,
    tun_tap_read=1,
    tun_tap_write=2,
    tcp_udp_read=3,
    tcp_udp_write=4,
    auth_read=5,
)


def read(*rows: str, printed_at: float | None = None) -> TunnelStatus:
    status = parse_status([row.encode() for row in rows], printed_at)
    assert isinstance(status, TunnelStatus)
    return status


def test_rows_that_the_daemon_does_not_print_are_none() -> None:
    assert read(*ROWS) == PLAIN
    assert read(*ROWS, "END") == PLAIN


def test_the_date_is_of_the_zone_that_the_time_of_the_reply_shows() -> None:
    at = PLAIN.updated - 20_700
    assert read(*ROWS, printed_at=at + 0.5).updated == at


def test_rows_of_compression_are_parsed() -> None:
    assert read(*ROWS, *COMPRESSION) == TunnelStatus(
        updated=1795404614,
        tun_tap_read=1,
        tun_tap_write=2,
        tcp_udp_read=3,
        tcp_udp_write=4,
        auth_read=5,
        pre_compress=6,
        post_compress=7,
        pre_decompress=8,
        post_decompress=2**64 - 1,
    )


def test_the_windows_driver_status_is_ignored() -> None:
    assert read(*ROWS, 'TAP-WIN32 driver status,"State=AT?c Err=[, -1]"') == PLAIN


@pytest.mark.parametrize("row", ["", "Something new,1", "Auth read bytes,many", "Auth read bytes"])
def test_unknown_rows_are_counted(row: str) -> None:
    status = read(*ROWS, row)
    assert status.auth_read == 5
    assert status.unparsed == 1


@pytest.mark.parametrize("updated", ["Updated,soon", "Updated", "TUN/TAP read bytes,1"])
def test_statistics_without_a_time_are_an_error(updated: str) -> None:
    with pytest.raises(ReplyError, match="Updated"):
        read("OpenVPN STATISTICS", updated)
