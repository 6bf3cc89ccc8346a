"""One simulated server, the monitor that watches it, and when it has been polled."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable

from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.endpoint import TcpEndpoint
from exporter.monitor.monitor import Monitor
from exporter.simulator import SimulatedDaemon
from exporter.state.daemon import DaemonState
from tests.fake_daemon import TEST_TIMEOUT
from tests.faults.truth import Totals, Truth

INTERVAL = 0.01
"""Seconds between polls."""

REPLY_TIMEOUT = 0.1
"""Seconds of idle time within which a reply must come; the longest delay is a tenth of it."""


class Soon(random.Random):
    """Chance that makes nobody wait for long."""

    def uniform(self, a: float, b: float) -> float:
        """Return a moment."""
        return min(b, 0.002)


class PollBell:
    """Who makes use of a record after each poll that was answered, and tells of it."""

    def __init__(self) -> None:
        self.polls = 0
        self._news = asyncio.Event()

    async def __call__(self, _: DaemonState) -> None:
        self.polls += 1
        self._news.set()

    async def rings(self, times: int) -> None:
        """Wait until so many polls have been answered from now on."""
        end = self.polls + times
        async with asyncio.timeout(TEST_TIMEOUT):
            while self.polls < end:
                self._news.clear()
                await self._news.wait()


class Watched:
    """A simulated server and its monitor, which asks it through `endpoint`."""

    def __init__(
        self,
        name: str,
        simulated: SimulatedDaemon,
        endpoint: TcpEndpoint,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.simulated = simulated
        self.truth = Truth(simulated)
        self.bell = PollBell()
        target = Target(
            DaemonConfig(name=name, management=endpoint, timeout=REPLY_TIMEOUT),
            ClientsConfig(forget_after=float("inf")),
            poll_interval=INTERVAL,
        )
        self._monitor = Monitor(target, on_updated=self.bell, clock=clock, rng=Soon())

    @property
    def record(self) -> DaemonState:
        """What the exporter knows."""
        return self._monitor.daemon

    @property
    def totals(self) -> Totals:
        """What the exporter says that its clients have moved."""
        return {
            name: (account.received_bytes, account.sent_bytes)
            for name, account in self.record.clients.totals.items()
        }

    @property
    def happenings(self) -> dict[str, int]:
        """What the exporter says that has happened."""
        events, sessions = self.record.events, self.record.clients.sessions
        return {
            "connects": sessions.connects,
            "disconnects": sessions.disconnects,
            **{f"state {name}": times for name, times in events.transitions.items()},
            **{f"reconnect {name}": times for name, times in events.reconnects.items()},
            **{f"severity {name}": times for name, times in events.log_messages.items()},
            **{f"event {name}": times for name, times in events.log_events.items()},
        }

    @property
    def complaints(self) -> int:
        """How often the exporter says that what it read was not as it should be."""
        record = self.record
        return record.unparsed_lines + record.poll_failures.total() + record.status_fallbacks

    async def polled(self) -> None:
        """Wait for a poll that began after now."""
        await self.bell.rings(2)
        self.truth.look()

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Let the monitor run until the block is left; it must not end by itself."""
        task = asyncio.create_task(self._monitor.run())
        try:
            yield
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
