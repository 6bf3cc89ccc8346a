"""How long the polls of one daemon took."""

import msgspec

from exporter.state.counters import Histogram

POLL_DURATION_BOUNDS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10)
"""Seconds. Few, since each daemon has a series for each.

A poll of a small daemon takes milliseconds, one of thousands of clients up to a second. More is a
daemon that stands still, for a script or for its log. After 10 s a reply times out by default.
"""


class PollDurations(msgspec.Struct, eq=False):
    """The durations in seconds of successful polls, parsing included."""

    last: float | None = None
    histogram: Histogram = msgspec.field(default_factory=lambda: Histogram(POLL_DURATION_BOUNDS))

    def observe(self, duration: float) -> None:
        """Record a successful poll."""
        self.last = duration
        self.histogram.observe(duration)
