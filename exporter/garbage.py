"""Garbage collections that do not hold the event loop.

Python starts a collection when more objects were made than freed. While daemons only go on, these
numbers are equal: tens of thousands of new objects gather, besides the old ones. A collection then
holds the loop for a tenth of a second with 1,000 daemons, and finds nothing.

So new objects are looked at ten times a second, and old ones only when Python's memory has grown.
What exists at the start is exempt. Nothing else is: an exempt object is freed when nothing refers
to it any more, but not if it is in a cycle of references, as those of broken sessions are.
"""

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator

INTERVAL = 0.1
"""Seconds between two collections of new objects: a few milliseconds with 1,000 daemons."""

GROWTH = 100_000
"""Memory blocks, some ten MiB, by which Python's memory grows until old objects are collected."""

FACTOR = 1.5
"""By which it grows besides: the collection of a larger fleet takes longer, and is rarer."""

_NEW = 1
_NEVER = 10**9


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[None]:
    """Collect garbage until the end of the block; what exists at its start is exempt."""
    thresholds = gc.get_threshold()
    gc.freeze()  # imports leave next to no garbage
    gc.set_threshold(thresholds[0], thresholds[1], _NEVER)
    task = asyncio.create_task(_collect_regularly(), name="garbage collection")
    try:
        yield
    finally:
        task.cancel()
        gc.set_threshold(*thresholds)


async def _collect_regularly() -> None:
    blocks = sys.getallocatedblocks()
    while True:
        await asyncio.sleep(INTERVAL)
        gc.collect(_NEW)
        blocks = collect_old(blocks)


def collect_old(blocks: int) -> int:
    """Collect old objects if memory has grown since it had these blocks; return its blocks now."""
    grown = sys.getallocatedblocks()
    if grown < blocks * FACTOR + GROWTH:
        return min(blocks, grown)
    gc.collect()
    return sys.getallocatedblocks()
