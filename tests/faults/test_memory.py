"""Faults leak no memory."""

import random
import tracemalloc

from tests.faults.differential import MonitorPair
from tests.faults.memory import memory_in_use
from tests.faults.scenarios import draw_scenario

SCENARIOS = 20

TOLERANCE = 64 * 1024
"""Bytes by which the number of clients lets the memory vary."""


async def test_memory_does_not_grow_after_faults() -> None:
    rng = random.Random(1)
    async with MonitorPair.start(1) as pair:
        tracemalloc.start()
        try:
            await _run_scenarios(pair, rng)
            before = memory_in_use()
            await _run_scenarios(pair, rng)
            assert memory_in_use() - before < TOLERANCE
        finally:
            tracemalloc.stop()


async def _run_scenarios(pair: MonitorPair, rng: random.Random) -> None:
    for _ in range(SCENARIOS):
        await pair.advance_randomly(rng)
        await pair.run(draw_scenario(rng))
    await pair.settle()
    sessions = pair.proxied.state.clients.sessions.current
    instance_table = pair.proxied.simulated.daemon.instance_table
    assert instance_table is not None
    assert len(sessions) <= len(instance_table.instances)
