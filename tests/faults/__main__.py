"""A long story: `python -m tests.faults [ORDEALS] [SEED]`, with its figures at the end."""

import asyncio
import logging
import random
import sys
import time
import tracemalloc

from tests.faults.announcements import LOGGER
from tests.faults.idle_clock import IdleClockLoop
from tests.faults.memory import kept
from tests.faults.ordeals import Ordeal, count, draw
from tests.faults.twins import Twins


async def tell(ordeals: int, seed: int) -> None:
    """Go through so many ordeals and compare after each."""
    chance, gone_through, began = random.Random(seed), list[Ordeal](), time.monotonic()
    async with Twins.born(seed) as twins:
        tracemalloc.start()
        for number in range(ordeals):
            if number in (ordeals // 10, ordeals // 2):
                print(f"memory after {number} ordeals: {kept() // 1024} KiB")  # noqa: T201
            await twins.live_at_random(chance)
            gone_through.append(draw(chance))
            await twins.endure(gone_through[-1])
            twins.compare()
        await twins.settle()
        twins.compare()
        twins.are_alike()
        print(f"memory in the end: {kept() // 1024} KiB")  # noqa: T201
        polls = {one.name: one.bell.polls for one in (twins.direct, twins.disturbed)}
        moved = sum(map(sum, twins.direct.totals.values()))
        missed = moved - sum(map(sum, twins.disturbed.totals.values()))
        print(f"{polls} polls, {time.monotonic() - began:.0f} s, {count(gone_through)}")  # noqa: T201
        print(f"{moved} bytes, of which nobody could know {missed}")  # noqa: T201
        print({what: times for what, times in twins.disturbed.happenings.items() if times})  # noqa: T201


if __name__ == "__main__":
    LOGGER.setLevel(logging.INFO)
    arguments = [int(argument) for argument in sys.argv[1:]]
    with asyncio.Runner(loop_factory=IdleClockLoop) as runner:
        runner.run(tell(*(arguments + [1000, 1][len(arguments) :])))
