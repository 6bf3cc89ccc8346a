"""Taking turns on the event loop."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

_T = TypeVar("_T")

_ROUNDS = 3
"""A timer or a socket wakes a future, and the future a task: each in the round after the last."""


async def give_way() -> None:
    """Let everything run that is ready, or gets ready by what is.

    One `sleep(0)` isn't enough: the loop puts what has become ready meanwhile behind the one who
    sleeps, so that two long steps would pass as one.
    """
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


async def in_turns(steps: Generator[None, None, _T]) -> _T:
    """Go through all steps, giving way after each; return what they come to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result
        await give_way()
