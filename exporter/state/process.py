"""The process behind a daemon: since when it runs, and whether it is still the same one."""

from collections import deque
from collections.abc import Sequence

from exporter.management.state import State

HISTORY_LIMIT = 100
"""Entries of the daemon's state history; a full one no longer begins with its start."""


class ProcessTracker:
    """Told by its id and by the history of its states, each once a session."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.restarts = 0
        self.start_time: int | None = None
        """When it began, in seconds since the epoch; None where that is not known."""
        self.states: deque[State] = deque(maxlen=HISTORY_LIMIT)
        """The last states that it went through, oldest first."""
        self._pid: int | None = None
        self._history_length = 0

    def update_pid(self, pid: int) -> bool:
        """Take its id; return whether it is another process than the last one."""
        is_other = self._pid not in (None, pid)
        self._pid = pid
        if is_other:
            self._restarted()
        return is_other

    def update_history(self, history: Sequence[State]) -> bool:
        """Take its state history, oldest entry first; return whether it is another process'."""
        is_other = self._history_reset(history)
        if is_other:
            self._restarted()
        self._history_length = len(history)
        self.states = deque(history, maxlen=HISTORY_LIMIT)
        if 0 < len(history) < HISTORY_LIMIT:
            self.start_time = history[0].time
        return is_other

    def _history_reset(self, history: Sequence[State]) -> bool:
        """Tell whether a history is another process', whose id may be the same in a container.

        A history grows until it is full, and only then loses its beginning.
        """
        if len(history) < self._history_length:
            return True
        begins = history[0].time if 0 < len(history) < HISTORY_LIMIT else None
        return None not in {begins, self.start_time} and begins != self.start_time

    def _restarted(self) -> None:
        self.restarts += 1
        self.start_time = None
        self._history_length = 0
