"""An event loop whose clock advances only while the loop waits for events.

Both sides of every session run in one loop, so a reply that is due is always an event that the
loop can handle. The loop's clock measures how long nothing happened. CPU time of the loop, and
time in which a busy machine does not run it, do not count: no deadline expires because of load.
"""

import asyncio
import selectors
import time

_TICK = 1e-9
"""Seconds that each pass of the loop takes; a timer that is due within less must not repeat."""


class IdleSelector(selectors.DefaultSelector):
    """A selector that adds up the time in which it waited without a ready event."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events; a wait counts for no more than `timeout`."""
        started_at = time.monotonic()
        ready = super().select(timeout)
        elapsed = time.monotonic() - started_at
        self.waited += _TICK + (elapsed if timeout is None else max(0.0, min(timeout, elapsed)))
        return ready


class IdleClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock is the time that its selector has waited."""

    def __init__(self) -> None:
        self._idle_selector = IdleSelector()
        super().__init__(self._idle_selector)

    def time(self) -> float:
        """Return the seconds that the loop has waited for events."""
        return self._idle_selector.waited
