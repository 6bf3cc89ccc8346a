"""Who scrapes may want a reading of now: one poll answers all who wish for it at the same time.

Only a session that rests can be woken. What is not connected, by misfortune or by manners, is left
alone: a scrape opens no session, shortens no backoff, and takes no slot.
"""

import asyncio
import math
from collections.abc import Callable, Iterable

MAX_AGE = 1.0
"""Seconds for which a reading counts as one of now."""


class RefreshRequest:
    """The wish for a new reading of one daemon."""

    def __init__(self) -> None:
        """Begin with a daemon that nobody has reached yet."""
        self._wake: Callable[[], None] | None = None
        self._answer: asyncio.Future[None] | None = None
        self._asked = -math.inf
        self._answered = -math.inf

    @property
    def pending(self) -> bool:
        """Whether somebody waits for a poll."""
        return self._answer is not None

    def request(self, patience: float) -> asyncio.Future[None] | None:
        """Wish for a new reading; return what is done once it is there.

        None where waiting is of no use: the reading is fresh, none can be had without connecting,
        or the poll under way was wanted more than `patience` seconds ago.
        """
        now = asyncio.get_running_loop().time()
        if self._wake is None or now - self._answered < MAX_AGE:
            return None
        if self._answer is None:
            self._answer = asyncio.get_running_loop().create_future()
            self._asked = now
            self._wake()
        elif now - self._asked >= patience:
            return None
        return self._answer

    def mark_fresh(self, wake: Callable[[], None]) -> None:
        """Note that a reading has come and the session rests; `wake` ends its rest."""
        self._answered = asyncio.get_running_loop().time()
        self._wake = wake
        self._resolve()

    def cancel(self) -> None:
        """Note that the daemon doesn't answer, or that the session is over: nobody shall wait."""
        self._wake = None
        self._resolve()

    def _resolve(self) -> None:
        if self._answer is not None:
            self._answer.set_result(None)
            self._answer = None


async def refresh(demands: Iterable[RefreshRequest], *, patience: float) -> None:
    """Have each daemon polled whose reading is older than a second, all at the same time.

    Returns after `patience` seconds at the latest: who isn't done by then goes on alone, and keeps
    its last reading meanwhile. A daemon that hangs is waited for once, not by one scrape after the
    other.
    """
    answers = [answer for demand in demands if (answer := demand.request(patience)) is not None]
    if answers:
        await asyncio.wait(answers, timeout=patience)
