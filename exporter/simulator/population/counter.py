"""Byte counters that are computed when they are read.

A `LinearCounter` is linear in ticks of activity. The sum of linear counters is linear, too, so the
traffic of ten thousand clients is one addition away, and no sum ever differs from its parts.
"""

import math
from dataclasses import dataclass

TICKS_PER_SECOND = 8
"""Ticks of activity that pass in a second of average activity."""

_DAY = 86_400.0
_SHORT_WAVE = 660.0
_DAY_WAVE_DEPTH = 0.6
_SHORT_WAVE_DEPTH = 0.3


def activity_ticks(now: float) -> int:
    """Return how much activity has passed since the epoch: it never falls.

    Activity follows a daily wave and one of eleven minutes, which shows in charts of one hour.
    """
    waves = _wave(now, period=_DAY, depth=_DAY_WAVE_DEPTH)
    waves += _wave(now, period=_SHORT_WAVE, depth=_SHORT_WAVE_DEPTH)
    return math.floor((now - waves) * TICKS_PER_SECOND)


def _wave(now: float, *, period: float, depth: float) -> float:
    return depth * period / math.tau * math.sin(math.tau * now / period)


@dataclass(frozen=True, slots=True)
class LinearCounter:
    """A counter in bytes: `offset` at tick 0 and `rate` bytes a tick."""

    offset: int = 0
    rate: int = 0

    @classmethod
    def started(cls, tick: int, *, value: int, rate: int) -> "LinearCounter":
        """Return a counter that is `value` at `tick` and grows from there."""
        return cls(value - rate * tick, rate)

    def at(self, tick: int) -> int:
        """Return the bytes counted at `tick`."""
        return self.offset + self.rate * tick

    def stopped(self, tick: int) -> "LinearCounter":
        """Return a counter that stays at the value of this one at `tick`."""
        return LinearCounter(self.at(tick))

    def __add__(self, other: "LinearCounter") -> "LinearCounter":
        return LinearCounter(self.offset + other.offset, self.rate + other.rate)

    def __sub__(self, other: "LinearCounter") -> "LinearCounter":
        return LinearCounter(self.offset - other.offset, self.rate - other.rate)


ZERO = LinearCounter()
"""A counter that stays at 0."""
