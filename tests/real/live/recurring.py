"""Something that happens again and again until it is over."""

import asyncio
from collections.abc import Callable
from contextlib import suppress


class RepeatedAction:
    """Begins at once; each ``seconds`` apart."""

    def __init__(self, action: Callable[[], None], seconds: float) -> None:
        self._task = asyncio.create_task(_repeat(action, seconds))

    async def stop(self) -> None:
        """End it; an error of the action comes out here."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def _repeat(action: Callable[[], None], seconds: float) -> None:
    while True:
        action()
        await asyncio.sleep(seconds)
