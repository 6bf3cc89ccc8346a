"""Scheduled actions in order of time."""

import heapq
import itertools
import math
from collections.abc import Callable

Action = Callable[[float], None]
"""Called with the time for which it was scheduled."""


class Scheduler:
    """A queue of actions; `run_next` runs them, one at a time."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Action]] = []
        self._order = itertools.count()

    @property
    def next_due(self) -> float:
        """The time of the next action; infinity if there is none."""
        return self._entries[0][0] if self._entries else math.inf

    def call_at(self, when: float, action: Action) -> None:
        """Schedule an action; those of the same time run in the order of the calls."""
        heapq.heappush(self._entries, (when, next(self._order), action))

    def run_next(self) -> None:
        """Run the next action."""
        when, _, action = heapq.heappop(self._entries)
        action(when)

    def clear(self) -> None:
        """Cancel all actions."""
        self._entries.clear()
