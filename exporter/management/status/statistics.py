"""`OpenVPN STATISTICS`: the status in client and point-to-point mode, in every format.

The names of the rows are the same from 2.1 to 2.7. The build and compression decide which rows
the daemon prints.
"""

from collections.abc import Sequence

from exporter.management.errors import ReplyError
from exporter.management.status.model import TunnelStatus
from exporter.management.values import decode, parse_date, parse_number, parse_zone_offset

TITLE = b"OpenVPN STATISTICS"

_FIELDS = {
    "TUN/TAP read bytes": "tun_tap_read",
    "TUN/TAP write bytes": "tun_tap_write",
    "TCP/UDP read bytes": "tcp_udp_read",
    "TCP/UDP write bytes": "tcp_udp_write",
    "Auth read bytes": "auth_read",
    "pre-compress bytes": "pre_compress",
    "post-compress bytes": "post_compress",
    "pre-decompress bytes": "pre_decompress",
    "post-decompress bytes": "post_decompress",
}
MAX_LINES = 100
"""Most lines of the statistics; OpenVPN prints a dozen."""

_IGNORED = frozenset({"TAP-WIN32 driver status"})


def parse(lines: Sequence[bytes], *, printed_at: float | None) -> TunnelStatus:
    """Parse the statistics.

    `printed_at` shows the daemon's zone, see `parse_zone_offset`.

    Raises:
        ReplyError: the `Updated` row is missing or cannot be parsed, or there are too many lines.
    """
    if len(lines) > MAX_LINES:
        raise ReplyError(f"statistics of more than {MAX_LINES} lines")
    updated: int | None = None
    counters: dict[str, int] = {}
    unparsed = 0
    for line in lines[1:]:
        name, _, value = decode(line).partition(",")
        try:
            if name == "Updated":
                updated = parse_date(value, parse_zone_offset(value, printed_at))
            elif name in _FIELDS:
                counters[_FIELDS[name]] = parse_number(value)
            elif name not in _IGNORED:
                unparsed += 1
        except ValueError:
            unparsed += 1
    if updated is None:
        raise ReplyError("statistics without a readable 'Updated' row")
    return TunnelStatus(updated=updated, unparsed=unparsed, **counters)
