"""A simulated server with the monitor that polls it."""

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
from tests.faults.expected_totals import ExpectedTotals, Totals

INTERVAL = 0.01
"""Seconds between polls."""

REPLY_TIMEOUT = 0.1
"""Seconds of idle time within which a reply must come; the longest delay is a tenth of it."""


class ShortBackoff(random.Random):
    """A random source that keeps every backoff short."""

    def uniform(self, a: float, b: float) -> float:
        """Return two milliseconds at most."""
        return min(b, 0.002)


class PollCounter:
    """An `on_updated` callback that counts the answered polls."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()

    async def __call__(self, _: DaemonState) -> None:
        self.count += 1
        self._changed.set()

    async def wait_for(self, polls: int) -> None:
        """Wait until this many more polls have been answered."""
        end = self.count + polls
        async with asyncio.timeout(TEST_TIMEOUT):
            while self.count < end:
                self._changed.clear()
                await self._changed.wait()


class MonitoredDaemon:
    """A simulated server and its monitor, which connects to `endpoint`."""

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
        self.expected = ExpectedTotals(simulated)
        self.polls_answered = PollCounter()
        target = Target(
            DaemonConfig(name=name, management=endpoint, timeout=REPLY_TIMEOUT),
            ClientsConfig(forget_after=float("inf")),
            poll_interval=INTERVAL,
        )
        self._monitor = Monitor(
            target, on_updated=self.polls_answered, clock=clock, rng=ShortBackoff()
        )

    @property
    def state(self) -> DaemonState:
        """The state that the monitor keeps."""
        return self._monitor.daemon

    @property
    def totals(self) -> Totals:
        """The traffic of all clients, as the exporter reports it."""
        return {
            name: (account.received_bytes, account.sent_bytes)
            for name, account in self.state.clients.totals.items()
        }

    @property
    def event_counts(self) -> dict[str, int]:
        """All event counters, as the exporter reports them."""
        events, sessions = self.state.events, self.state.clients.sessions
        return {
            "connects": sessions.connects,
            "disconnects": sessions.disconnects,
            **{f"state {name}": times for name, times in events.transitions.items()},
            **{f"reconnect {name}": times for name, times in events.reconnects.items()},
            **{f"severity {name}": times for name, times in events.log_messages.items()},
            **{f"event {name}": times for name, times in events.log_events.items()},
        }

    @property
    def error_count(self) -> int:
        """The number of errors in what was read, as the exporter reports it."""
        state = self.state
        commands = sum(state.failed_commands.counts.values())
        return (
            state.unparsed_lines + state.poll_failures.total() + state.status_fallbacks + commands
        )

    async def wait_polled(self) -> None:
        """Wait for a poll that starts after this call, and sample the expected totals."""
        await self.polls_answered.wait_for(2)
        self.expected.sample()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the monitor until the block ends; the monitor must not end by itself."""
        task = asyncio.create_task(self._monitor.run())
        try:
            yield
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
