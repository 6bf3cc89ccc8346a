"""When a daemon is polled.

A process that wakes for a single small poll finds its memory in no cache of the processor, and
takes twice as long as for the next ones. So the polls of many daemons are spread over the interval,
but begin at points of time that they share.
"""

import asyncio
import math

SLOTS = 100
"""Points of time in an interval at which polls begin."""


def next_due(due: float, interval: float, *, after: float) -> float:
    """Return the first time in steps of `interval` from `due` that is `after` seconds from now.

    It is moved to the nearest point of time at which polls begin, and stays later than that.
    """
    earliest = asyncio.get_running_loop().time() + after
    late = earliest - due
    if late < 0:  # at most one interval away, which may have become shorter
        due = min(due, earliest + interval)
    else:
        due += interval * (math.floor(late / interval) + 1)
    slot = interval / SLOTS
    nearest = round(due / slot) * slot
    return nearest if nearest > earliest else nearest + interval
