"""Two simulated servers of one seed and one clock tell the same story, whoever listens to one."""

import contextlib
import random

from exporter.simulator.daemon.daemon import Signal
from tests.faults.proxy import Proxy
from tests.faults.twins import endpoint, restless
from tests.faults.watched import Watched
from tests.simulator.manual_clock import ManualClock

STEPS = 400
SIGNALS = (Signal.SIGUSR1, Signal.SIGHUP, *(None,) * 48)


async def test_one_that_is_watched_and_one_that_is_not_tell_the_same() -> None:
    clock, chance = ManualClock(), random.Random(7)
    async with contextlib.AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(restless(7, clock)) for _ in range(2)]
        proxy = await stack.enter_async_context(Proxy.before(endpoint(one)))
        watched = Watched("office", one, proxy.endpoint, clock=clock)
        await stack.enter_async_context(watched.watching())
        await watched.polled()
        statuses = set()
        for _ in range(STEPS):
            clock.advance(chance.randrange(1, 5))
            one.tick()
            other.tick()
            signal = chance.choice(SIGNALS)
            if signal is not None:
                one.daemon.signal(signal)
                other.daemon.signal(signal)
            assert one.daemon.states == other.daemon.states
            assert one.daemon.load_stats() == other.daemon.load_stats()
            if one.daemon.client_table is not None:
                assert one.daemon.status(3) == other.daemon.status(3)
                statuses.add(tuple(one.daemon.status(3)))
        assert len(statuses) > STEPS / 2
        await watched.polled()


async def test_another_seed_tells_another_story() -> None:
    clock = ManualClock()
    async with restless(7, clock) as one, restless(8, clock) as other:
        assert one.daemon.status(3) != other.daemon.status(3)
