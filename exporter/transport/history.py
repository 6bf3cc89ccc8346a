"""The last things that were asked of a daemon, and what came back: for people who look for a fault.

Of a long reply only the beginning is kept; of real-time messages only their keywords, since they
carry credentials. The password was said before anything here.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence

import msgspec

from exporter.management.commands import Command
from exporter.management.messages import ErrorReply, MultilineReply, Reply, SuccessReply

EXCHANGES = 16
"""Commands that are remembered: a whole introduction and a poll."""

LINES = 20
"""Lines of a reply that are remembered."""

LENGTH = 200
"""Bytes of a line that are remembered."""

KEYWORDS = 50
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
        self._exchanges: deque[HistoryEntry] = deque(maxlen=EXCHANGES)
        self._heard: Counter[str] = Counter()

    @property
    def exchanges(self) -> Sequence[HistoryEntry]:
        """The last exchanges, oldest first."""
        return tuple(self._exchanges)

    @property
    def heard(self) -> Mapping[str, int]:
        """How many real-time messages came since the session began, by keyword."""
        return self._heard

    def exchanged(self, command: Command, reply: Reply, *, ended: float, seconds: float) -> None:
        """Note a reply."""
        lines = _lines(reply)
        kept = tuple(line[:LENGTH] for line in lines[:LINES])
        self._exchanges.append(HistoryEntry(command, ended, seconds, kept, len(lines)))

    def unanswered(self, command: Command, *, ended: float, seconds: float) -> None:
        """Note a command whose reply didn't come."""
        self._exchanges.append(HistoryEntry(command, ended, seconds, (), 0))

    def notified(self, source: str) -> None:
        """Note a real-time message."""
        self._heard[source if source in self._heard or len(self._heard) < KEYWORDS else "…"] += 1


def _lines(reply: Reply) -> Sequence[bytes]:
    match reply:
        case SuccessReply(text=text):
            return (b"SUCCESS: " + text,)
        case ErrorReply():
            # From 2.7 on an unknown command is repeated here, and it may have been a password.
            return (b"ERROR: (its text is not kept)",)
        case MultilineReply(lines=lines):
            return lines
