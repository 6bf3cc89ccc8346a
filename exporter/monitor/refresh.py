"""On-demand polls: concurrent scrapes share one poll.

Only a connected, idle session is polled: no scrape opens a connection, shortens a backoff or takes
the management interface's slot.
"""

import asyncio
import math
from collections.abc import Callable, Iterable

MAX_AGE = 1.0
"""Seconds for which a status counts as fresh."""


class RefreshRequest:
    """The request for a poll of one daemon before it is due."""

    def __init__(self) -> None:
        self._wake: Callable[[], None] | None = None
        self._polled: asyncio.Future[None] | None = None
        self._requested_at = -math.inf
        self._polled_at = -math.inf

    @property
    def pending(self) -> bool:
        """Whether a poll was requested and is not done."""
        return self._polled is not None

    def request(self, max_wait: float) -> asyncio.Future[None] | None:
        """Request a poll; return a future that is done when the poll is.

        None if waiting is of no use: the status is fresh, there is no idle session, or the pending
        poll was requested more than `max_wait` seconds ago.
        """
        now = asyncio.get_running_loop().time()
        if self._wake is None or now - self._polled_at < MAX_AGE:
            return None
        if self._polled is None:
            self._polled = asyncio.get_running_loop().create_future()
            self._requested_at = now
            self._wake()
        elif now - self._requested_at >= max_wait:
            return None
        return self._polled

    def mark_fresh(self, wake: Callable[[], None]) -> None:
        """Record that the daemon was polled and its session is idle; `wake` starts a poll."""
        self._polled_at = asyncio.get_running_loop().time()
        self._wake = wake
        self._resolve()

    def cancel(self) -> None:
        """Record that the daemon does not answer or the session is over: end every wait."""
        self._wake = None
        self._resolve()

    def _resolve(self) -> None:
        if self._polled is not None:
            self._polled.set_result(None)
            self._polled = None


async def refresh(requests: Iterable[RefreshRequest], max_wait: float) -> None:
    """Poll each daemon whose status is older than a second, all at once.

    Returns after `max_wait` seconds at the latest; later polls keep the last status meanwhile. A
    daemon that hangs is waited for once, not by each scrape.
    """
    pending = [polled for request in requests if (polled := request.request(max_wait)) is not None]
    if pending:
        await asyncio.wait(pending, timeout=max_wait)
