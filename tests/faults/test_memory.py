"""Disturbance leaves nothing behind in memory."""

import random
import tracemalloc

from tests.faults.memory import kept
from tests.faults.ordeals import draw
from tests.faults.twins import Twins

ROUND = 20
"""Ordeals of a round."""

TOLERANCE = 64 * 1024
"""Bytes: a restless world is a little larger at one time than at another."""


async def test_memory_does_not_grow() -> None:
    chance = random.Random(1)
    async with Twins.born(1) as twins:
        tracemalloc.start()
        try:
            await _go_through(twins, chance)
            before = kept()
            await _go_through(twins, chance)
            assert kept() - before < TOLERANCE
        finally:
            tracemalloc.stop()


async def _go_through(twins: Twins, chance: random.Random) -> None:
    for _ in range(ROUND):
        await twins.live_at_random(chance)
        await twins.endure(draw(chance))
    await twins.settle()
    sessions = twins.disturbed.record.clients.sessions.current
    client_table = twins.disturbed.simulated.daemon.client_table
    assert client_table is not None
    assert len(sessions) <= len(client_table.instances)
