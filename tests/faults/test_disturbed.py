"""Sessions that are disturbed at random end with the totals of sessions that are not.

Two hundred stories here; `python -m tests.faults` tells longer ones.
"""

import asyncio
import random

import pytest

from tests.faults.ordeals import draw
from tests.faults.twins import Twins

ORDEALS = 3
AT_ONCE = 10
"""Stories told side by side: each waits most of its time."""


@pytest.mark.parametrize("first", range(0, 200, AT_ONCE))
async def test_a_disturbed_session_tells_what_an_undisturbed_one_tells(first: int) -> None:
    async with asyncio.TaskGroup() as stories:
        for seed in range(first, first + AT_ONCE):
            stories.create_task(_story(seed))


async def _story(seed: int) -> None:
    try:
        await _disturb(seed)
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise


async def _disturb(seed: int) -> None:
    chance = random.Random(seed)
    async with Twins.born(seed) as twins:
        for _ in range(ORDEALS):
            await twins.live_at_random(chance)
            await twins.endure(draw(chance))
            twins.compare()
        await twins.settle()
        twins.compare()
        twins.are_alike()
