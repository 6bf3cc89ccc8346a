"""What will happen and when: the simulator's only notion of passing time."""

import heapq
import itertools
import math
from collections.abc import Callable

Action = Callable[[float], None]
"""What happens; takes the time at which it does."""


class Scheduler:
    """A queue of actions, run in order of time whenever somebody looks."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Action]] = []
        self._order = itertools.count()

    @property
    def next_due(self) -> float:
        """The time of the next action; infinity if there is none."""
        return self._entries[0][0] if self._entries else math.inf

    def call_at(self, when: float, action: Action) -> None:
        """Plan an action; those of the same time run in the order they were planned."""
        heapq.heappush(self._entries, (when, next(self._order), action))

    def run_next(self) -> None:
        """Run the next action, whose time must have come."""
        when, _, action = heapq.heappop(self._entries)
        action(when)

    def clear(self) -> None:
        """Forget every plan."""
        self._entries.clear()
