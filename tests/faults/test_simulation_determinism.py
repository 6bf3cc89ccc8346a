"""Two simulated servers with one seed and one clock behave identically, monitored or not."""

import contextlib
import random

from exporter.simulator.daemon.daemon import Signal
from tests.faults.differential import endpoint, serve_busy_daemon
from tests.faults.monitored import MonitoredDaemon
from tests.faults.proxy import Proxy
from tests.simulator.manual_clock import ManualClock

STEPS = 400
SIGNALS = (Signal.SIGUSR1, Signal.SIGHUP, *(None,) * 48)


async def test_monitored_server_behaves_as_an_unmonitored_one() -> None:
    clock, rng = ManualClock(), random.Random(7)
    async with contextlib.AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(serve_busy_daemon(7, clock)) for _ in range(2)
        ]
        proxy = await stack.enter_async_context(Proxy.start(endpoint(one)))
        monitored = MonitoredDaemon("office", one, proxy.endpoint, clock=clock)
        await stack.enter_async_context(monitored.running())
        await monitored.wait_polled()
        statuses = set()
        for _ in range(STEPS):
            clock.advance(rng.randrange(1, 5))
            one.tick()
            other.tick()
            signal = rng.choice(SIGNALS)
            if signal is not None:
                one.daemon.signal(signal)
                other.daemon.signal(signal)
            assert one.daemon.states == other.daemon.states
            assert one.daemon.load_stats() == other.daemon.load_stats()
            if one.daemon.instance_table is not None:
                assert one.daemon.status(3) == other.daemon.status(3)
                statuses.add(tuple(one.daemon.status(3)))
        assert len(statuses) > STEPS / 2
        await monitored.wait_polled()


async def test_servers_of_different_seeds_differ() -> None:
    clock = ManualClock()
    async with serve_busy_daemon(7, clock) as one, serve_busy_daemon(8, clock) as other:
        assert one.daemon.status(3) != other.daemon.status(3)
