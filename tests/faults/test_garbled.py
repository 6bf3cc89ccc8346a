"""Garbage of any kind, anywhere: a digit that became another one is a lie that nobody sees.

So this asks for less than equality: nothing breaks, no total falls, and all is well afterwards.
"""

import asyncio
import random

from exporter.management.status import ServerStatus
from tests.faults.faults import (
    Anywhere,
    Cut,
    Duplicate,
    Fault,
    Flood,
    Garble,
    Manner,
    Split,
    Strike,
    Way,
)
from tests.faults.twins import Twins
from tests.faults.watched import Watched

WRECKS = 12


async def test_no_garbage_breaks_anything_or_makes_a_total_fall() -> None:
    async with asyncio.TaskGroup() as stories:
        for seed in range(12):
            stories.create_task(_story(seed))


async def _story(seed: int) -> None:
    try:
        await _wreck(seed)
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise


async def _wreck(seed: int) -> None:
    chance = random.Random(seed)
    async with Twins.born(seed) as twins:
        for _ in range(WRECKS):
            before = _counters(twins.disturbed)
            twins.proxy.arm(_strike(chance))
            await twins.proxy.has_struck()
            await twins.live_at_random(chance)
            after = _counters(twins.disturbed)
            assert all(after[what] >= counted for what, counted in before.items())
        await twins.settle()
        assert twins.disturbed.record.up
        direct, disturbed = twins.direct.record.status, twins.disturbed.record.status
        assert isinstance(direct, ServerStatus)
        assert isinstance(disturbed, ServerStatus)
        assert disturbed.clients == direct.clients


def _strike(chance: random.Random) -> Strike:
    way = chance.choice((Way.ANSWERS, Way.ANSWERS, Way.ANSWERS, Way.COMMANDS))
    skip = chance.randrange(20 if way is Way.COMMANDS else 6000)
    return Strike(_fault(chance), way, Anywhere(skip))


def _fault(chance: random.Random) -> Fault:
    faults: tuple[Fault, ...] = (
        Garble(1, chance.randbytes(1)),
        Garble(chance.randrange(8), chance.randbytes(chance.randrange(8))),
        Garble(1, b"%d" % chance.randrange(10)),
        Duplicate(chance.randrange(1, 20)),
        Flood(chance.randrange(1, 300), b">LOG:" + chance.randbytes(20).replace(b"\n", b"")),
        Split(1, 50),
        Cut(chance.choice(list(Manner))),
    )
    return chance.choice(faults)


def _counters(watched: Watched) -> dict[str, int]:
    totals = {
        f"{what} {name}": moved
        for name, both in watched.totals.items()
        for what, moved in zip(("received", "sent"), both, strict=True)
    }
    traffic = watched.record.traffic
    return {
        **totals,
        **watched.happenings,
        "received": traffic.received_bytes,
        "sent": traffic.sent_bytes,
    }
