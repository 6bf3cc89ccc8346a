"""Cases of one test, run at the same time: each mostly waits for a timer of its own daemon.

OpenVPN removes a client that it rejects after five seconds, and writes a status file each second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

C = TypeVar("C")
T = TypeVar("T")


class Outcomes(Generic[T]):
    """The result or the exception of each case, by its text."""

    def __init__(self, outcomes: dict[str, T | BaseException]) -> None:
        self._outcomes = outcomes

    def of(self, case: object) -> T:
        """Return the result of a case, or raise its exception."""
        outcome = self._outcomes[str(case)]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def run_at_once(run: Callable[[C], Awaitable[T]], cases: Sequence[C]) -> Outcomes[T]:
    """Run all cases in one event loop; an exception of one does not end the others."""

    async def outcomes() -> list[T | BaseException]:
        return await asyncio.gather(*map(run, cases), return_exceptions=True)

    return Outcomes(dict(zip(map(str, cases), asyncio.run(outcomes()), strict=True)))
