"""Waiting for changes in other processes, by polling."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

PAUSE = 0.01
DEADLINE = 15.0

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T | None]], *, deadline: float = DEADLINE, pause: float = PAUSE
) -> T:
    """Call ``look`` every ``pause`` seconds until its result is not None; return the result.

    Raises:
        TimeoutError: The result was still None after ``deadline`` seconds.
    """
    async with asyncio.timeout(deadline):
        while (result := await look()) is None:  # noqa: ASYNC110 -- changes in other processes
            await asyncio.sleep(pause)
    return result
