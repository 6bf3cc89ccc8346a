"""An event loop whose clock skips the time until the next timer: hours pass in milliseconds."""

import asyncio
import selectors


class _SkippingSelector(selectors.DefaultSelector):
    """A selector that waits for nothing and adds up the time that it should have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now; otherwise the time is over at once."""
        ready = super().select(0 if timeout is not None else None)
        if not ready:
            self.skipped += timeout or 0.0
        return ready


class SkippingClockLoop(asyncio.SelectorEventLoop):
    """An event loop for code that waits for timers only."""

    def __init__(self) -> None:
        self._skipping_selector = _SkippingSelector()
        super().__init__(self._skipping_selector)

    def time(self) -> float:
        """Return the seconds that the loop has skipped."""
        return self._skipping_selector.skipped
