"""Garbage collections that do not hold the event loop.

Python starts a collection when more objects were made than freed. While daemons only go on, these
numbers are equal: tens of thousands of new objects gather, besides the old ones. A collection then
holds the loop for a tenth of a second with 1,000 daemons, and finds nothing.

So new objects are looked at ten times a second. Old ones are looked at every two seconds, and when
Python starts it, while that takes a few milliseconds; else only when Python's memory has grown by
half. What exists at the start is exempt. Nothing else is: an exempt object is freed when nothing
refers to it any more, but not if it is in a cycle of references, as those of broken sessions are.
"""

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import AsyncIterator

INTERVAL = 0.1
"""Seconds between two collections of new objects: a few milliseconds with 1,000 daemons."""

GROWTH = 100_000
"""Memory blocks, some ten MiB, by which Python's memory grows until old objects are collected."""

FACTOR = 1.5
"""By which it grows besides: the collection of a larger fleet takes longer, and is rarer."""

QUICK = 0.01
"""Seconds of a collection of old objects up to which it is repeated regularly."""

_NEW_PER_OLD = 20
"""Collections of new objects between two of old ones, if these are quick."""

_NEW = 1
_NEVER = 10**9


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[None]:
    """Collect garbage until the end of the block; what exists at its start is exempt."""
    thresholds = gc.get_threshold()
    gc.freeze()  # imports leave next to no garbage
    task = asyncio.create_task(_collect_regularly(thresholds), name="garbage collection")
    try:
        yield
    finally:
        task.cancel()
        gc.set_threshold(*thresholds)


async def _collect_regularly(thresholds: tuple[int, int, int]) -> None:
    new, middle, python_old = thresholds
    old = OldObjects()
    while True:
        for _ in range(_NEW_PER_OLD):
            await asyncio.sleep(INTERVAL)
            gc.collect(_NEW)
            old.collect_if_grown()
        old.collect_if_quick()
        gc.set_threshold(new, middle, python_old if old.is_quick else _NEVER)


class OldObjects:
    """Collects old objects, and knows how many blocks of memory remained and how long it took."""

    def __init__(self) -> None:
        self.blocks = sys.getallocatedblocks()
        self.seconds = 0.0
        """Of processor time."""

    @property
    def is_quick(self) -> bool:
        """Whether the last collection of old objects was quick."""
        return self.seconds <= QUICK

    def collect_if_grown(self) -> None:
        """Collect them if memory has grown since the last time, or since it was smallest."""
        blocks = sys.getallocatedblocks()
        if blocks >= self.blocks * FACTOR + GROWTH:
            self._collect()
        else:
            self.blocks = min(self.blocks, blocks)

    def collect_if_quick(self) -> None:
        """Collect them if that was quick the last time: they may refer to large replies."""
        if self.is_quick:
            self._collect()

    def _collect(self) -> None:
        started_at = time.thread_time()
        gc.collect()
        self.seconds = time.thread_time() - started_at
        self.blocks = sys.getallocatedblocks()
