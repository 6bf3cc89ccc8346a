"""How long to wait before coming back to a daemon that can't be reached."""

import random

from exporter.management.errors import DownReason

FIRST = 1.0
CAP = 60.0
AFTER_WRONG_PASSWORD = 15 * 60.0
"""Seconds; each try takes the slot, and the daemon logs every third as rejected."""


class Backoff:
    """Exponential with full jitter: somewhere between 0 and a bound that doubles up to a cap."""

    def __init__(self, chance: random.Random) -> None:
        """Draw from `chance`."""
        self._chance = chance
        self._failures = 0

    def reset(self) -> None:
        """Note that the daemon answered."""
        self._failures = 0

    def delay(self, reason: DownReason) -> float:
        """Return the seconds to wait after one more failure."""
        bound = min(CAP, FIRST * 2.0 ** min(self._failures, 16))
        self._failures += 1
        if reason is DownReason.AUTH:
            return AFTER_WRONG_PASSWORD
        return self._chance.uniform(0, bound)
