"""Two identical simulated servers, one monitored directly, one through the proxy.

A daemon has one management client, so there are two daemons. They share the seed and the clock,
so they behave identically (`test_simulation_determinism.py` proves it). The clock advances only
when the test advances it: no time passes during a poll, so the expected totals are exact.
"""

import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from exporter.management.endpoint import TcpEndpoint
from exporter.management.status import ServerStatus
from exporter.monitor.client import STATUS_1_POLLS
from exporter.simulator import SimulatedDaemon
from exporter.simulator.daemon.daemon import Signal
from exporter.simulator.daemon.server import ServerDaemon, ServerSettings
from exporter.simulator.management.connection import ManagementSlot
from exporter.simulator.management.listener import ManagementListener
from exporter.simulator.population.identity import make_identities
from exporter.simulator.population.profile import ChurnProfile
from tests.faults.daemon_log import DaemonLog
from tests.faults.faults import Corrupt
from tests.faults.monitored import MonitoredDaemon
from tests.faults.proxy import Proxy
from tests.faults.scenarios import FaultScenario
from tests.simulator.manual_clock import ManualClock

CLIENT_COUNT = 6

BUSY_PROFILE = ChurnProfile(
    session_seconds=60,
    absence_seconds=20,
    port_scans=100,
    wrong_passwords=100,
    unknown_cas=100,
    script_rejections=100,
    floats=200,
)
"""The log of 20 seconds, restart included, fits into the 250 lines that a daemon keeps."""

RESTART_PROBABILITY = 0.1
"""The probability that the daemons restart before a scenario."""

STEP = 3
"""Seconds of a gap between two polls of the direct monitor."""


@dataclass(frozen=True, slots=True)
class MonitorPair:
    """Both servers and both monitors, running."""

    clock: ManualClock
    direct: MonitoredDaemon
    proxied: MonitoredDaemon
    proxy: Proxy
    log: DaemonLog

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, seed: int) -> AsyncIterator["MonitorPair"]:
        """Serve and poll both daemons until the block ends."""
        clock = ManualClock()
        async with contextlib.AsyncExitStack() as stack:
            log = stack.enter_context(DaemonLog.capture())
            direct_server = await stack.enter_async_context(serve_busy_daemon(seed, clock))
            proxied_server = await stack.enter_async_context(serve_busy_daemon(seed, clock))
            proxy = await stack.enter_async_context(Proxy.start(endpoint(proxied_server)))
            direct = MonitoredDaemon(
                f"direct-{seed}", direct_server, endpoint(direct_server), clock=clock
            )
            proxied = MonitoredDaemon(
                f"proxied-{seed}", proxied_server, proxy.endpoint, clock=clock
            )
            for daemon in (direct, proxied):
                await stack.enter_async_context(daemon.running())
                await daemon.wait_polled()
            yield cls(clock, direct, proxied, proxy, log)
            assert "bug" not in [entry.message for entry in log.entries]
            assert not log.down_reasons(direct.name, since=0)

    async def advance(self, seconds: float, signal: Signal | None = None) -> None:
        """Advance the time, send both daemons a signal, and wait for a poll of the direct one."""
        self.clock.advance(seconds)
        for daemon in (self.direct, self.proxied):
            daemon.simulated.tick()
            if signal is not None:
                daemon.simulated.daemon.signal(signal)
                daemon.simulated.tick()
        await self.direct.wait_polled()

    async def advance_and_poll(self, seconds: float, signal: Signal | None = None) -> None:
        """Advance the time, send a signal, and wait for a poll of both daemons."""
        await self.advance(seconds, signal)
        await self.proxied.wait_polled()

    async def advance_randomly(self, rng: random.Random) -> None:
        """Advance a few seconds, sometimes with a restart, which gives no status for a second."""
        if rng.random() < RESTART_PROBABILITY:
            await self.advance_and_poll(1, rng.choice((Signal.SIGUSR1, Signal.SIGHUP)))
        await self.advance_and_poll(rng.randrange(2, 6))

    async def run(self, scenario: FaultScenario) -> None:
        """Run a scenario on the proxied session, and check that the daemon is up afterwards."""
        since, error_count = len(self.log.entries), self.proxied.error_count
        if scenario.refuses_connections:
            self.proxy.stop_listening()
        self.proxy.arm(*scenario.injections)
        await self.proxy.wait_injected()
        if scenario.first is not None:
            assert await self.log.wait_down(self.proxied.name, since=since) is scenario.first
        await self._pass_gap(scenario)
        await self.proxied.wait_polled()
        assert scenario.allowed.issuperset(self.log.down_reasons(self.proxied.name, since=since))
        assert (self.proxied.state.up, self.proxied.state.down_reason) == (True, None)
        if isinstance(scenario.injections[0].fault, Corrupt):
            assert self.proxied.error_count > error_count

    async def _pass_gap(self, scenario: FaultScenario) -> None:
        for signal in scenario.gap:
            await self.advance(STEP, signal)
            state = self.proxied.state
            assert (state.up, state.management_up, state.status) == (False, False, None)
            assert state.down_reason in scenario.allowed
        if scenario.refuses_connections:
            await self.proxy.listen()
        self.proxy.release()

    def check_totals(self) -> None:
        """Check that each monitor reports exactly what its polls could show.

        No status shows what a session transferred after the last poll in which it was connected:
        the proxied totals are below the direct ones by exactly these bytes.
        """
        direct, proxied = self.direct, self.proxied
        assert direct.totals == direct.expected.totals
        assert proxied.totals == proxied.expected.totals
        for name, (received, sent) in proxied.totals.items():
            assert received <= direct.totals[name][0], name
            assert sent <= direct.totals[name][1], name
        for what, times in proxied.event_counts.items():
            assert times <= direct.event_counts[what], what

    async def settle(self) -> None:
        """Poll until nothing is pending.

        A client that connected and disconnected between two polls is dropped after two statuses.
        Polls answered in format 1, which has no client ids, end no session that has one.
        """
        await self.advance_and_poll(1)
        if self.proxied.state.status_fallbacks:
            await self.proxied.polls_answered.wait_for(STATUS_1_POLLS)
        await self.advance_and_poll(1)
        await self.advance_and_poll(1)

    def check_equal(self) -> None:
        """Check that both monitors report the same state and, except for bytes, the same events."""
        direct, proxied = self.direct.state, self.proxied.state
        missed = self.direct.event_counts.items() - self.proxied.event_counts.items()
        assert not missed
        assert proxied.traffic.received_bytes == direct.traffic.received_bytes
        assert proxied.traffic.sent_bytes == direct.traffic.sent_bytes
        assert proxied.state == direct.state
        assert isinstance(proxied.status, ServerStatus)
        assert isinstance(direct.status, ServerStatus)
        assert proxied.status.clients == direct.status.clients


@contextlib.asynccontextmanager
async def serve_busy_daemon(
    seed: int, clock: Callable[[], float]
) -> AsyncIterator[SimulatedDaemon]:
    """Serve a daemon with busy clients; it has been running for a minute."""
    rng = random.Random(seed)
    daemon = ServerDaemon(
        ServerSettings(),
        make_identities(CLIENT_COUNT, rng=rng),
        BUSY_PROFILE,
        rng=rng,
        start=clock() - 120,
        now=clock() - 60,
    )
    slot = ManagementSlot(daemon, clock)
    slot.advance()
    listener = ManagementListener(slot)
    async with listener.serving():
        yield SimulatedDaemon(daemon, listener)


def endpoint(simulated: SimulatedDaemon) -> TcpEndpoint:
    """Return the management endpoint of a simulated daemon."""
    host, _, port = simulated.address.rpartition(":")
    return TcpEndpoint(host, int(port))
