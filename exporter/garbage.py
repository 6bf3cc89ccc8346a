"""Garbage collections that do not hold the event loop.

Python starts a collection when more objects were made than freed. While daemons only go on, these
numbers are equal: tens of thousands of new objects gather, besides the old ones. A collection then
holds the loop for a tenth of a second with 1,000 daemons, and finds nothing. With 100,000 clients
it comes in the middle of a step that is short without it.

So Python collects none but new objects, as soon as there are some thousands more: at a start, a
reload, or the first poll of many clients. They are also looked at regularly: once a second while
that is quick, ten times a second in a large fleet. Old ones are looked at every two seconds while
that takes a few milliseconds; else only when Python's memory has grown by half, and by more than
the daemons that were added take. What exists after the start is exempt. Nothing else is: an exempt
object is freed when nothing refers to it any more, but not if it is in a cycle of references.
"""

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import AsyncIterator, Callable

MAX_NEW = 10_000
"""New objects, in addition to those that replace others, with which Python collects them: 2 ms."""

INTERVALS = (0.1, 1.0)
"""Least and most seconds between two collections of new objects."""

BRIEF = 0.001
"""Seconds of a collection of new objects up to which the next is later."""

OLD_INTERVAL = 2.0
"""Seconds between two looks at old objects, or at the size of memory, which takes time, too."""

GROWTH = 100_000
"""Memory blocks, some ten MiB, by which Python's memory grows until old objects are collected."""

FACTOR = 1.5
"""By which it grows besides: the collection of a larger fleet takes longer, and is rarer."""

TASK_GROWTH = 1000
"""Blocks by which it grows for each new task: a daemon of ten clients has one, and 700 blocks."""

MANY_TASKS = 100
"""New tasks with which a collection takes longer than the last one: those of 100 daemons."""

QUICK = 0.01
"""Seconds of a collection of old objects up to which it is repeated regularly."""

SECONDS_EACH = 150e-9
"""Seconds that it takes for an object."""

_NEW, _OLD = 1, 2

_NEVER = 2**31 - 1
"""Collections of new objects after which Python collects old ones."""


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[Callable[[], None]]:
    """Collect garbage until the end of the block.

    The block gets a function to be called after the start: what exists then is exempt, as what
    exists before.
    """
    was_enabled, thresholds = gc.isenabled(), gc.get_threshold()
    gc.freeze()
    gc.set_threshold(MAX_NEW, 0, _NEVER)
    gc.enable()
    old = OldObjects()
    gc.callbacks.append(old.count)
    task = asyncio.create_task(_collect_regularly(old), name="garbage collection")

    def exempt() -> None:
        gc.freeze()
        old.added = 0

    try:
        yield exempt
    finally:
        task.cancel()
        gc.callbacks.remove(old.count)
        gc.set_threshold(*thresholds)
        if not was_enabled:
            gc.disable()


async def _collect_regularly(old: "OldObjects") -> None:
    young = NewObjects()
    loop = asyncio.get_running_loop()
    due = loop.time() + OLD_INTERVAL
    while True:
        await asyncio.sleep(young.interval)
        young.collect()
        if loop.time() >= due:
            due = loop.time() + OLD_INTERVAL
            old.look()


class NewObjects:
    """Collects new objects; the quicker that is, the rarer."""

    def __init__(self) -> None:
        self.interval = INTERVALS[0]
        """Seconds until the next collection."""

    def collect(self) -> None:
        """Collect them."""
        is_brief = _collect(_NEW) <= BRIEF
        shortest, longest = INTERVALS
        self.interval = min(max(self.interval * (2 if is_brief else 0.5), shortest), longest)


class OldObjects:
    """Collects old objects, if that is quick or memory has grown."""

    def __init__(self) -> None:
        self.blocks = sys.getallocatedblocks()
        """Blocks of memory after the last collection, or the fewest since."""
        self.seconds = 0.0
        """Of processor time that it took."""
        self.added = 0
        """Objects that collections of new ones have left since then, at most."""
        self._tasks = 0

    def count(self, phase: str, _: object) -> None:
        """Count the objects that are new when a collection starts; for `gc.callbacks`."""
        if phase == "start":
            self.added += gc.get_count()[0]

    def look(self) -> None:
        """Collect them if that is quick: they may refer to large replies. Else if memory has grown.

        New tasks explain some growth, and will make more objects that are not there yet.
        """
        blocks = sys.getallocatedblocks()
        self.blocks = min(self.blocks, blocks)
        new_tasks = max(len(asyncio.all_tasks()) - self._tasks, 0)
        seconds = self.seconds + self.added * SECONDS_EACH
        is_quick = seconds <= QUICK and new_tasks < MANY_TASKS
        if is_quick or blocks >= self.blocks * FACTOR + GROWTH + new_tasks * TASK_GROWTH:
            self.seconds = _collect(_OLD)
            self.added = 0
            self.blocks = sys.getallocatedblocks()
            self._tasks = len(asyncio.all_tasks())


def _collect(generation: int) -> float:
    """Collect a generation and the younger ones; return the seconds of processor time."""
    started_at = time.thread_time()
    gc.collect(generation)
    return time.thread_time() - started_at
