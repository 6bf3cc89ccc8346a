"""A simulated world without tides: clients that move the same number of bytes each second."""

import math
import time

from exporter.simulator.population.counter import TICKS_PER_SECOND, activity_ticks

_TIDE = 86_400.0
"""More seconds than activity is ever ahead of the clock or behind it."""

_STEPS = 60


def steady_clock() -> float:
    """Return the simulated time at which as much activity has passed as real time has by now.

    A daemon with this clock counts evenly, in steps of an eighth of a second, and tells the time a
    few hours wrong.
    """
    now = time.time()
    wanted = math.floor(now * TICKS_PER_SECOND)
    early, late = now - _TIDE, now + _TIDE
    for _ in range(_STEPS):
        middle = (early + late) / 2
        if activity_ticks(middle) < wanted:
            early = middle
        else:
            late = middle
    return late
