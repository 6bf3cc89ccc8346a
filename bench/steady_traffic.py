"""A clock by which simulated clients transfer the same number of bytes per second."""

import math
import time

from exporter.simulator.population.counter import TICKS_PER_SECOND, activity_ticks

_MAX_OFFSET = 86_400.0
"""Upper bound of the seconds by which activity is ahead of the clock or behind it."""

_BISECTIONS = 60


def steady_clock() -> float:
    """Return the simulated time at which the amount of activity equals the real time.

    Counters of a daemon with this clock grow evenly, in steps of an eighth of a second. The daemon
    reports a time that is wrong by some hours.
    """
    now = time.time()
    wanted = math.floor(now * TICKS_PER_SECOND)
    early, late = now - _MAX_OFFSET, now + _MAX_OFFSET
    for _ in range(_BISECTIONS):
        middle = (early + late) / 2
        if activity_ticks(middle) < wanted:
            early = middle
        else:
            late = middle
    return late
