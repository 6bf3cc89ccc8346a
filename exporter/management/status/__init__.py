"""The reply to `status` as readings.

reading     what a status says, whatever its format
table       formats 2 and 3: keyworded rows, columns named by a header
report      format 1: sections for people
tunnel      client and point-to-point mode
"""

import datetime
from collections.abc import Sequence

from exporter.management.errors import ReplyError
from exporter.management.status import report, table, tunnel
from exporter.management.status.reading import Client, Route, ServerStatus, Status, TunnelStatus
from exporter.management.text import clean_bytes

__all__ = ["Client", "Route", "ServerStatus", "Status", "TunnelStatus", "parse_status"]


def parse_status(
    lines: Sequence[bytes], *, routes: bool = True, zone: datetime.tzinfo | None = None
) -> Status:
    """Read a status of any format (1, 2, 3) and mode; its first line tells which.

    Args:
        lines: the reply's lines without line ends, with or without its `END`.
        routes: whether to read each route; their number is known either way.
        zone: the daemon's time zone, for formats without epoch times; None is this machine's.

    Raises:
        ReplyError: no status at all.
    """
    if lines and lines[-1] == b"END":
        lines = lines[:-1]
    first = lines[0] if lines else b""
    if first.startswith(b"TITLE\t"):
        return table.parse(lines, separator="\t", routes=routes)
    if first.startswith(b"TITLE,"):
        return table.parse(lines, separator=",", routes=routes)
    if first == report.TITLE:
        return report.parse(lines, zone=zone)
    if first == tunnel.TITLE:
        return tunnel.parse(lines, zone=zone)
    raise ReplyError(f"a status that begins with {clean_bytes(first, 64)!r}")
