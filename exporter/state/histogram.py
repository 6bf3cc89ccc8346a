"""A distribution, counted into fixed buckets."""

import bisect
from collections.abc import Sequence


class Histogram:
    """Counts of observed values by upper bound, their sum and number."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin with nothing observed; `bounds` are ascending, infinity is added."""
        self.bounds = (*bounds, float("inf"))
        self.sum = 0.0
        self._counts = [0] * len(self.bounds)

    def observe(self, value: float) -> None:
        """Count one value."""
        self.sum += value
        self._counts[bisect.bisect_left(self.bounds, value)] += 1

    @property
    def cumulative(self) -> tuple[int, ...]:
        """For each bound the number of values up to it; the last is the number of all."""
        total = 0
        return tuple(total := total + count for count in self._counts)
