"""The daemon's process: its start time and its restarts."""

import math
from collections.abc import Sequence

import msgspec

from exporter.management.state import State, StateName

HISTORY_LIMIT = 100
"""Entries of the daemon's state history; a full history no longer begins at the start."""


class ProcessTracker(msgspec.Struct, eq=False):
    """Detects another process by its PID and its state history, each read once a session."""

    restarts: int = 0
    start_time: int | None = None
    """Start in seconds since the epoch; None if unknown."""
    states: Sequence[State] = ()  # a deque takes more for the few that most daemons have
    """The last states, oldest first."""
    _pid: int | None = None
    _history_length: int = 0

    @property
    def connection_start(self) -> int | None:
        """When the daemon began to connect for the last time; None if unknown."""
        for state in reversed(self.states):
            if state.name is StateName.RECONNECTING:
                return state.time
        return self.start_time

    def update_pid(self, pid: int) -> bool:
        """Record the PID; return whether it is another process than the last one."""
        is_other = self._pid not in (None, pid)
        self._pid = pid
        if is_other:
            self._restarted()
        return is_other

    def update_history(self, history: Sequence[State]) -> bool:
        """Record the state history, oldest entry first; return whether it is another process."""
        is_other = self._history_reset(history)
        if is_other:
            self._restarted()
        self._history_length = len(history)
        self.states = tuple(history[-HISTORY_LIMIT:])
        if 0 < len(history) < HISTORY_LIMIT:
            self.start_time = history[0].time
        return is_other

    def add_state(self, state: State) -> None:
        """Record a new state."""
        self.states = (*self.states, state)[-HISTORY_LIMIT:]

    def _history_reset(self, history: Sequence[State]) -> bool:
        """Return whether the history is another process's, whose PID is the same in a container.

        A history grows until it is full, and only then loses its beginning.
        """
        if len(history) < self._history_length:
            return True
        start = history[0].time if 0 < len(history) < HISTORY_LIMIT else None
        return None not in {start, self.start_time} and start != self.start_time

    def _restarted(self) -> None:
        self.restarts += 1
        self.start_time = None
        self.states = ()
        self._history_length = 0


def age(start: int | None, now: float) -> float:
    """Return the age in seconds of what began at a time of the daemon's; infinite if in doubt."""
    return now - start + 1 if start is not None and start <= now else math.inf
