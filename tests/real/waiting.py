"""Waits for what nobody announces: by looking, again and again, until it is there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

PAUSE = 0.01
DEADLINE = 15.0

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T | None]], *, deadline: float = DEADLINE, pause: float = PAUSE
) -> T:
    """Look until there is something to see, each ``pause`` seconds; give it.

    Raises:
        TimeoutError: There still was nothing after ``deadline`` seconds.
    """
    async with asyncio.timeout(deadline):
        while (seen := await look()) is None:  # noqa: ASYNC110 -- it happens in other processes
            await asyncio.sleep(pause)
    return seen
