"""The last reply to each command of a session, for the debug page.

Of a long reply the beginning is kept, of log lines nothing. Of real-time messages only the keywords
are counted, since their payloads contain credentials. The login is not recorded.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from exporter.management.commands import Command
from exporter.management.messages import MultilineReply, Reply, SuccessReply

MAX_LINES = 10
"""Lines kept of a reply: what it looks like, of a status the header and some rows."""

MAX_LINE_LENGTH = 200
"""Bytes kept of a line."""

MAX_KEYWORDS = 50
"""Keywords of real-time messages counted apart; the others count as `…`."""


_shared = functools.lru_cache(maxsize=128)(bytes)
"""Most daemons give the same replies to `hold`, `verb`, `version`: they are in memory once."""


class HistoryEntry(msgspec.Struct, frozen=True, gc=False):
    """One command and its reply: its first lines, and the number of all its lines."""

    command: Command
    ended: float
    """When the reply was complete or timed out, by the event loop's clock."""
    milliseconds: int
    """How long that took."""
    text: bytes
    """The first lines, joined: an object for each would take half as much again."""
    line_count: int

    @property
    def lines(self) -> list[bytes]:
        """The first lines."""
        return self.text.split(b"\n") if self.text else []


class CommandHistory:
    """The last replies of one connection."""

    def __init__(self) -> None:
        self._entries: tuple[HistoryEntry, ...] = ()
        self._notification_counts: Counter[str] = Counter()

    @property
    def entries(self) -> Sequence[HistoryEntry]:
        """The commands with their last replies, in the order in which these came."""
        return self._entries

    @property
    def notification_counts(self) -> Mapping[str, int]:
        """Real-time messages since the session began, by keyword."""
        return self._notification_counts

    def add_reply(self, command: Command, reply: Reply, *, ended: float, seconds: float) -> None:
        """Record a reply."""
        lines: Sequence[bytes]
        if isinstance(reply, MultilineReply):
            lines = reply.lines
        elif isinstance(reply, SuccessReply):
            lines = (b"SUCCESS: " + reply.text,)
        else:  # since 2.7 its text repeats an unknown command, which may have been a password
            lines = (b"ERROR: (its text is not kept)",)
        first = () if command is Command.LOG_ALL else lines[:MAX_LINES]
        kept = b"\n".join([line[:MAX_LINE_LENGTH] for line in first])
        self._add(HistoryEntry(command, ended, round(seconds * 1000), _shared(kept), len(lines)))

    def add_timeout(self, command: Command, *, ended: float, seconds: float) -> None:
        """Record a command without a reply."""
        self._add(HistoryEntry(command, ended, round(seconds * 1000), b"", 0))

    def _add(self, entry: HistoryEntry) -> None:
        others = [other for other in self._entries if other.command is not entry.command]
        self._entries = (*others, entry)

    def count_notification(self, keyword: str) -> None:
        """Count a real-time message."""
        counts = self._notification_counts
        counts[keyword if keyword in counts or len(counts) < MAX_KEYWORDS else "…"] += 1
