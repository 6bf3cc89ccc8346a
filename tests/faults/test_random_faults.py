"""After random faults a monitor reports the totals that a monitor without faults reports.

Two hundred short runs; `python -m tests.faults` makes longer ones.
"""

import asyncio
import random

import pytest

from tests.faults.differential import MonitorPair
from tests.faults.scenarios import draw_scenario

SCENARIOS = 3
PARALLEL_RUNS = 10
"""Runs in one event loop: each waits most of its time."""


@pytest.mark.parametrize("first", range(0, 200, PARALLEL_RUNS))
async def test_proxied_monitor_reports_the_totals_of_the_direct_one(first: int) -> None:
    async with asyncio.TaskGroup() as runs:
        for seed in range(first, first + PARALLEL_RUNS):
            runs.create_task(_run_with_seed(seed))


async def _run_with_seed(seed: int) -> None:
    try:
        await _run_scenarios(seed)
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise


async def _run_scenarios(seed: int) -> None:
    rng = random.Random(seed)
    async with MonitorPair.start(seed) as pair:
        for _ in range(SCENARIOS):
            await pair.advance_randomly(rng)
            await pair.run(draw_scenario(rng))
            pair.check_totals()
        await pair.settle()
        pair.check_totals()
        pair.check_equal()
