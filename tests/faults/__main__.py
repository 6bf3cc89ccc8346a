"""A long fault run with statistics: `python -m tests.faults [SCENARIOS] [SEED]`."""

import asyncio
import logging
import random
import sys
import time
import tracemalloc

from tests.faults.daemon_log import LOGGER
from tests.faults.differential import MonitorPair
from tests.faults.idle_clock import IdleClockLoop
from tests.faults.memory import memory_in_use
from tests.faults.scenarios import FaultScenario, count_faults, draw_scenario


async def run(scenarios: int, seed: int) -> None:
    """Run this many scenarios and check the totals after each."""
    rng, done, started_at = random.Random(seed), list[FaultScenario](), time.monotonic()
    async with MonitorPair.start(seed) as pair:
        tracemalloc.start()
        for number in range(scenarios):
            if number in (scenarios // 10, scenarios // 2):
                print(f"memory after {number} scenarios: {memory_in_use() // 1024} KiB")  # noqa: T201
            await pair.advance_randomly(rng)
            done.append(draw_scenario(rng))
            await pair.run(done[-1])
            pair.check_totals()
        await pair.settle()
        pair.check_totals()
        pair.check_equal()
        print(f"memory at the end: {memory_in_use() // 1024} KiB")  # noqa: T201
        polls = {daemon.name: daemon.polls_answered.count for daemon in (pair.direct, pair.proxied)}
        moved = sum(map(sum, pair.direct.totals.values()))
        missed = moved - sum(map(sum, pair.proxied.totals.values()))
        print(f"{polls} polls, {time.monotonic() - started_at:.0f} s, {count_faults(done)}")  # noqa: T201
        print(f"{moved} bytes, of which {missed} are in no status")  # noqa: T201
        print({what: times for what, times in pair.proxied.event_counts.items() if times})  # noqa: T201


if __name__ == "__main__":
    LOGGER.setLevel(logging.INFO)
    arguments = [int(argument) for argument in sys.argv[1:]]
    with asyncio.Runner(loop_factory=IdleClockLoop) as runner:
        runner.run(run(*(arguments + [1000, 1][len(arguments) :])))
