"""Which sessions are not older than the exporter: all, but for those of the first status.

Times are the daemon's, in seconds since the epoch.
"""

import math

import msgspec

_TIME_RESOLUTION = 1
"""Seconds; a session that began in the same second may have begun before."""


class FirstStatus(msgspec.Struct, eq=False):
    """The starts of the sessions that a status shows for the first time and that are new."""

    is_over: bool = False
    _after: float = -math.inf
    _until: float = math.inf

    def begin(self, now: float, monitored_for: float) -> None:
        """Record that a status was printed at `now`, after so many seconds of monitoring."""
        if not self.is_over:
            self._after, self._until = now - monitored_for + _TIME_RESOLUTION, now

    def end(self, now: float, unreadable: int) -> None:
        """Record that it was read; so many of its lines were unreadable."""
        if not unreadable:
            self.skip()
        elif not self.is_over:  # a session that appears later may be in one of the lines
            self.is_over, self._after, self._until = True, now, math.inf

    def skip(self) -> None:
        """Record that all further sessions are new: a status was complete, or all have ended."""
        self.is_over, self._after, self._until = True, -math.inf, math.inf

    def is_new(self, start: int) -> bool:
        """Return whether a session that began at `start` is not older than the exporter."""
        return self._after < start <= self._until
