"""The reply to `status`, parsed.

model        the parsed status, the same for all formats
format_1     format 1: sections with titles
format_2_3   formats 2 and 3: rows with keywords, columns named by a header
columns      the columns under a header
row_cache    the client rows of the previous status
route_filter the routes of some clients
statistics   client and point-to-point mode
"""

import re
from collections.abc import Generator, Sequence

from exporter.management.batches import run_batches
from exporter.management.errors import ReplyError
from exporter.management.reply_lines import ReplyLines
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

    def __init__(self, *, routes: bool = True) -> None:
        """Create a reader without a previous status.

        `routes` is whether to parse each route; their number is always known.
        """
        self._routes = routes
        self._cache = RowCache()

    def read_in_batches(
        self, lines: Sequence[bytes], printed_at: float | None
    ) -> Generator[None, None, Status]:
        """Parse a status of any format and mode, as its first line shows; return the status.

        A large status is parsed in batches of a few milliseconds, with a `yield` after each.

        Args:
            lines: the status without `END`.
            printed_at: about when the daemon printed it, in seconds since the epoch. It shows the
                daemon's zone, in which format 1 and statistics have their times; None is UTC.

        Raises:
            ReplyError: not a status.
        """
        title = lines[0] if lines else b""
        if title.startswith((b"TITLE\t", b"TITLE,")):
            separator = title[5:6].decode()
            text = lines if isinstance(lines, ReplyLines) else ReplyLines.of(lines)
            return (
                yield from format_2_3.parse_in_batches(
                    text, separator, routes=self._routes, cache=self._cache
                )
            )
        if title == format_1.TITLE:
            return (yield from format_1.parse_in_batches(lines, printed_at=printed_at))
        if title == statistics.TITLE:
            return statistics.parse(lines, printed_at=printed_at)
        raise ReplyError(_not_a_status(title))

    def read(self, lines: Sequence[bytes], printed_at: float | None = None) -> Status:
        """Parse a status without a pause, as `read_in_batches` does; `END` may be its last line.

        Raises:
            ReplyError: not a status.
        """
        if lines and lines[-1] == b"END":
            lines = lines[:-1]
        return run_batches(self.read_in_batches(lines, printed_at))


def parse_status(
    lines: Sequence[bytes], printed_at: float | None = None, *, routes: bool = True
) -> Status:
    """Parse a single status, as `StatusReader` does.

    Raises:
        ReplyError: not a status.
    """
    return StatusReader(routes=routes).read(lines, printed_at)


def _not_a_status(first_line: bytes) -> str:
    """Return what the text is instead, with its cause where it is known."""
    if first_line.startswith(b"{"):
        return "JSON, as OpenVPN Access Server prints it; only the formats 1, 2 and 3 are supported"
    if _LOG_LINE.match(first_line):
        return "log lines before the status: 'log' or 'log-append' names the same file as 'status'"
    return f"a status that begins with {clean_bytes(first_line, 64)!r}"
