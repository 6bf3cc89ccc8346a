"""The log of a simulated daemon: filtered by `verb`, kept in a cache of limited length."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A log message: shown at `verb` and above; `flags` as in `>LOG:`, mostly empty."""

    verb: int
    flags: str
    text: str


class LogBuffer:
    """What was logged, as `log` shows it; what is logged goes to `listener`, too."""

    def __init__(self, *, verb: int, cache: int) -> None:
        self.verb = verb
        self.listener: Callable[[str], None] | None = None
        self.lines: deque[str] = deque(maxlen=cache)

    def write(self, now: float, entry: LogEntry) -> None:
        """Log one message, unless `verb` is too low for it."""
        if entry.verb > self.verb:
            return
        line = f"{int(now)},{entry.flags},{entry.text}"
        self.lines.append(line)
        if self.listener is not None:
            self.listener(line)
