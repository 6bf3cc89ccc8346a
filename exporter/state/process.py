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
        self._remembered = 0

    def identified(self, pid: int) -> bool:
        """Take its id; return whether it is another process than the last one."""
        is_other = self._pid not in (None, pid)
        self._pid = pid
        if is_other:
            self._changed()
        return is_other

    def remembered(self, history: Sequence[State]) -> bool:
        """Take its state history, oldest entry first; return whether it is another process'."""
        is_other = self._is_anothers(history)
        if is_other:
            self._changed()
        self._remembered = len(history)
        self.states = deque(history, maxlen=HISTORY_LIMIT)
        if 0 < len(history) < HISTORY_LIMIT:
            self.start_time = history[0].time
        return is_other

    def _is_anothers(self, history: Sequence[State]) -> bool:
        """Tell whether a history is another process', whose id may be the same in a container.

        A history grows until it is full, and only then loses its beginning.
        """
        if len(history) < self._remembered:
            return True
        begins = history[0].time if 0 < len(history) < HISTORY_LIMIT else None
        return None not in {begins, self.start_time} and begins != self.start_time

    def _changed(self) -> None:
        self.restarts += 1
        self.start_time = None
        self._remembered = 0
