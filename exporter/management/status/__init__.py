"""The reply to `status`, parsed.

model        the parsed status, the same for all formats
format_1     format 1: sections with titles
format_2_3   formats 2 and 3: rows with keywords, columns named by a header
columns      the columns under a header
row_cache    the client rows of the previous status
statistics   client and point-to-point mode
"""

import datetime
import re
from collections.abc import Generator, Sequence

from exporter.management.batches import run_batches
from exporter.management.errors import ReplyError
from exporter.management.status import format_1, format_2_3, statistics
from exporter.management.status.model import (
    ClientRow,
    RouteRow,
    ServerStatus,
    Status,
    StatusSource,
    TunnelStatus,
)
from exporter.management.status.row_cache import RowCache
from exporter.management.values import clean_bytes

__all__ = [
    "ClientRow",
    "RouteRow",
    "ServerStatus",
    "Status",
    "StatusReader",
    "StatusSource",
    "TunnelStatus",
    "parse_status",
]


_LOG_LINE = re.compile(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d |[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:"
)
"""The time at the beginning of each line of a log file: since 2.5, and before."""


class StatusReader:
    """Parses the successive statuses of one daemon; unchanged rows are not parsed again."""

    def __init__(self, *, routes: bool = True, zone: datetime.tzinfo | None = None) -> None:
        """Create a reader without a previous status.

        Args:
            routes: whether to parse each route; their number is always known.
            zone: the daemon's time zone, for format 1; None is this machine's.
        """
        self._routes = routes
        self._zone = zone
        self._cache = RowCache()

    def read_in_batches(self, lines: Sequence[bytes]) -> Generator[None, None, Status]:
        """Parse a status of any format and mode, as its first line shows; return the status.

        A large status is parsed in batches of a few milliseconds, with a `yield` after each.
        `lines` are without line ends; `END` as the last line is allowed.

        Raises:
            ReplyError: not a status.
        """
        if lines and lines[-1] == b"END":
            lines = lines[:-1]
        title = lines[0] if lines else b""
        if title.startswith((b"TITLE\t", b"TITLE,")):
            separator = title[5:6].decode()
            return (
                yield from format_2_3.parse_in_batches(
                    lines, separator, routes=self._routes, cache=self._cache
                )
            )
        if title == format_1.TITLE:
            return (yield from format_1.parse_in_batches(lines, zone=self._zone))
        if title == statistics.TITLE:
            return statistics.parse(lines, zone=self._zone)
        raise ReplyError(_not_a_status(title))

    def read(self, lines: Sequence[bytes]) -> Status:
        """Parse a status without a pause, as `read_in_batches` does.

        Raises:
            ReplyError: not a status.
        """
        return run_batches(self.read_in_batches(lines))


def parse_status(
    lines: Sequence[bytes], *, routes: bool = True, zone: datetime.tzinfo | None = None
) -> Status:
    """Parse a single status, as `StatusReader` does.

    Raises:
        ReplyError: not a status.
    """
    return StatusReader(routes=routes, zone=zone).read(lines)


def _not_a_status(first_line: bytes) -> str:
    """Return what the text is instead, with its cause where it is known."""
    if first_line.startswith(b"{"):
        return "JSON, as OpenVPN Access Server prints it; only the formats 1, 2 and 3 are supported"
    if _LOG_LINE.match(first_line):
        return "log lines before the status: 'log' or 'log-append' names the same file as 'status'"
    return f"a status that begins with {clean_bytes(first_line, 64)!r}"
