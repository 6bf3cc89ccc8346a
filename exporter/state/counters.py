"""Counters that outlive the resets of the daemon's own, and a histogram."""

import math
from bisect import bisect_left
from collections.abc import Sequence


class ResettingCounter:
    """The growth of a counter of the daemon, summed over its resets.

    A value that fell started again at 0, so all of it is growth.
    """

    __slots__ = ("_last", "total")

    def __init__(self) -> None:
        self._last = 0
        self.total = 0

    def update(self, value: int) -> int:
        """Add the next value; return by how much the counter grew."""
        growth = value - self._last if value >= self._last else value
        self._last = value
        self.total += growth
        return growth

    def start(self, value: int) -> None:
        """Take a first value that is none of the growth."""
        self._last = value

    def restart(self) -> None:
        """Record that the daemon's counter was reset, even if its next value does not show it."""
        self._last = 0


class Histogram:
    """Counts of observed values by upper bound, their sum and number."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are ascending; infinity is added."""
        self._bounds = bounds
        self.sum = 0.0
        self._counts = [0] * (len(bounds) + 1)

    @property
    def bounds(self) -> Sequence[float]:
        """The bounds with infinity."""
        return *self._bounds, math.inf

    def observe(self, value: float) -> None:
        """Count one value."""
        self.sum += value
        self._counts[bisect_left(self._bounds, value)] += 1

    @property
    def cumulative(self) -> tuple[int, ...]:
        """For each bound the number of values up to it; the last is the number of all."""
        total = 0
        return tuple(total := total + count for count in self._counts)
