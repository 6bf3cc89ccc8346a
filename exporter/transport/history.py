"""The last things that were asked of a daemon, and what came back: for people who look for a fault.

Of a long reply only the beginning is kept; of real-time messages only their keywords, since they
carry credentials. The password was said before anything here.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence

import msgspec

from exporter.management.commands import Command
from exporter.management.messages import ErrorReply, MultilineReply, Reply, SuccessReply

MAX_ENTRIES = 16
"""Commands that are remembered: a whole introduction and a poll."""

MAX_LINES = 20
"""Lines of a reply that are remembered."""

MAX_LINE_LENGTH = 200
"""Bytes of a line that are remembered."""

MAX_KEYWORDS = 50
"""Keywords of real-time messages that are told apart."""


class HistoryEntry(msgspec.Struct, frozen=True):
    """One command and its reply; `line_count` counts all lines, `lines` has the first of them."""

    command: Command
    ended: float
    """When, by the event loop's clock."""
    seconds: float
    lines: tuple[bytes, ...]
    line_count: int


class CommandHistory:
    """What was lately said over one connection."""

    def __init__(self) -> None:
        """Begin before the first word."""
        self._entries: deque[HistoryEntry] = deque(maxlen=MAX_ENTRIES)
        self._notification_counts: Counter[str] = Counter()

    @property
    def entries(self) -> Sequence[HistoryEntry]:
        """The last exchanges, oldest first."""
        return tuple(self._entries)

    @property
    def notification_counts(self) -> Mapping[str, int]:
        """How many real-time messages came since the session began, by keyword."""
        return self._notification_counts

    def add_reply(self, command: Command, reply: Reply, *, ended: float, seconds: float) -> None:
        """Note a reply."""
        lines = _lines(reply)
        kept = tuple(line[:MAX_LINE_LENGTH] for line in lines[:MAX_LINES])
        self._entries.append(HistoryEntry(command, ended, seconds, kept, len(lines)))

    def add_timeout(self, command: Command, *, ended: float, seconds: float) -> None:
        """Note a command whose reply didn't come."""
        self._entries.append(HistoryEntry(command, ended, seconds, (), 0))

    def count_notification(self, keyword: str) -> None:
        """Count a real-time message."""
        counts = self._notification_counts
        counts[keyword if keyword in counts or len(counts) < MAX_KEYWORDS else "…"] += 1


def _lines(reply: Reply) -> Sequence[bytes]:
    match reply:
        case SuccessReply(text=text):
            return (b"SUCCESS: " + text,)
        case ErrorReply():
            # From 2.7 on an unknown command is repeated here, and it may have been a password.
            return (b"ERROR: (its text is not kept)",)
        case MultilineReply(lines=lines):
            return lines
