"""The reply to `status` as readings.

reading     what a status says, whatever its format
table       formats 2 and 3: keyworded rows, columns named by a header
columns     which column is where, and how it is read
known       rows that the last status had, too
report      format 1: sections for people
tunnel      client and point-to-point mode
"""

import datetime
from collections.abc import Generator, Sequence

from exporter.management.errors import ReplyError
from exporter.management.status import format_1, format_2_3, statistics
from exporter.management.status.model import ClientRow, RouteRow, ServerStatus, Status, TunnelStatus
from exporter.management.values import clean_bytes

__all__ = [
    "ClientRow",
    "RouteRow",
    "ServerStatus",
    "Status",
    "StatusReader",
    "TunnelStatus",
    "parse_status",
]


class StatusReader:
    """Reads the statuses of one daemon, one after the other: what hasn't changed costs little."""

    def __init__(self, *, routes: bool = True, zone: datetime.tzinfo | None = None) -> None:
        """Begin with no status read.

        Args:
            routes: whether to read each route; their number is known either way.
            zone: the daemon's time zone, for formats without epoch times; None is this machine's.
        """
        self._zone = zone
        self._tables = format_2_3.TableReader(routes=routes)

    def read_in_chunks(self, lines: Sequence[bytes]) -> Generator[None, None, Status]:
        """Read a status of any format (1, 2, 3) and mode; its first line tells which.

        Pauses every few milliseconds, where much is to be read. `lines` are the reply's without
        line ends, with or without its `END`.

        Raises:
            ReplyError: no status at all.
        """
        if lines and lines[-1] == b"END":
            lines = lines[:-1]
        first = lines[0] if lines else b""
        if first.startswith(b"TITLE\t"):
            return (yield from self._tables.read_in_chunks(lines, "\t"))
        if first.startswith(b"TITLE,"):
            return (yield from self._tables.read_in_chunks(lines, ","))
        if first == format_1.TITLE:
            return (yield from format_1.parse_in_chunks(lines, zone=self._zone))
        if first == statistics.TITLE:
            return statistics.parse(lines, zone=self._zone)
        raise ReplyError(f"a status that begins with {clean_bytes(first, 64)!r}")

    def read(self, lines: Sequence[bytes]) -> Status:
        """Read a status in one go.

        Raises:
            ReplyError: no status at all.
        """
        chunks = self.read_in_chunks(lines)
        while True:
            try:
                next(chunks)
            except StopIteration as end:
                status: Status = end.value
                return status


def parse_status(
    lines: Sequence[bytes], *, routes: bool = True, zone: datetime.tzinfo | None = None
) -> Status:
    """Read a single status in one go, as `StatusReader` does.

    Raises:
        ReplyError: no status at all.
    """
    return StatusReader(routes=routes, zone=zone).read(lines)
