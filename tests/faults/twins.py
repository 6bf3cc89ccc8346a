"""Two simulated servers with the same story, one watched directly, one through the proxy.

A daemon has one management client, so there are two of them, of one seed and one clock, which
tell the same story (`test_simulated_twins.py` proves it). The clock goes when the test says so:
time stands still while anybody asks, so what a watcher could know is known to the byte.
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
from tests.faults.announcements import Announcements
from tests.faults.faults import Garble
from tests.faults.ordeals import Ordeal
from tests.faults.proxy import Proxy
from tests.faults.watched import Watched
from tests.simulator.manual_clock import ManualClock

PEOPLE = 6

RESTLESS = ChurnProfile(
    session_seconds=60,
    absence_seconds=20,
    port_scans=100,
    wrong_passwords=100,
    unknown_cas=100,
    script_rejections=100,
    floats=200,
)
"""Twenty seconds of this, a restart included, fit into the 250 lines of log that a daemon keeps."""

RESTARTS = 0.1
"""How often a daemon restarts before an ordeal."""

STEP = 3
"""Seconds of a gap between two polls of the direct monitor."""


@dataclass(frozen=True, slots=True)
class Twins:
    """Both servers at work, and both monitors."""

    clock: ManualClock
    direct: Watched
    disturbed: Watched
    proxy: Proxy
    said: Announcements

    @classmethod
    @contextlib.asynccontextmanager
    async def born(cls, seed: int) -> AsyncIterator["Twins"]:
        """Let both live and be polled until the block is left."""
        clock = ManualClock()
        async with contextlib.AsyncExitStack() as stack:
            said = stack.enter_context(Announcements.heard())
            one = await stack.enter_async_context(restless(seed, clock))
            other = await stack.enter_async_context(restless(seed, clock))
            proxy = await stack.enter_async_context(Proxy.before(endpoint(other)))
            direct = Watched(f"direct-{seed}", one, endpoint(one), clock=clock)
            disturbed = Watched(f"disturbed-{seed}", other, proxy.endpoint, clock=clock)
            for watched in (direct, disturbed):
                await stack.enter_async_context(watched.watching())
                await watched.polled()
            yield cls(clock, direct, disturbed, proxy, said)
            assert "bug" not in [made.message for made in said.made]
            assert not said.reasons(direct.name, since=0)

    async def live(self, seconds: float, signal: Signal | None = None) -> None:
        """Let time pass, and then a signal reach both daemons; the direct monitor sees it all."""
        self.clock.advance(seconds)
        for watched in (self.direct, self.disturbed):
            watched.simulated.tick()
            if signal is not None:
                watched.simulated.daemon.signal(signal)
                watched.simulated.tick()
        await self.direct.polled()

    async def live_and_poll(self, seconds: float, signal: Signal | None = None) -> None:
        """Let time pass; both monitors see it all."""
        await self.live(seconds, signal)
        await self.disturbed.polled()

    async def live_at_random(self, chance: random.Random) -> None:
        """Let a few seconds pass, now and then with a restart, which has no status for a second."""
        if chance.random() < RESTARTS:
            await self.live_and_poll(1, chance.choice((Signal.SIGUSR1, Signal.SIGHUP)))
        await self.live_and_poll(chance.randrange(2, 6))

    async def endure(self, ordeal: Ordeal) -> None:
        """Let the disturbed session go through an ordeal, and see that it is well afterwards."""
        since, complaints = len(self.said.made), self.disturbed.complaints
        if ordeal.shut:
            self.proxy.closes()
        self.proxy.arm(*ordeal.strikes)
        await self.proxy.has_struck()
        if ordeal.first is not None:
            assert await self.said.down(self.disturbed.name, since=since) is ordeal.first
        await self._wait_out(ordeal)
        await self.disturbed.polled()
        assert ordeal.allowed.issuperset(self.said.reasons(self.disturbed.name, since=since))
        assert (self.disturbed.record.up, self.disturbed.record.down_reason) == (True, None)
        if isinstance(ordeal.strikes[0].fault, Garble):
            assert self.disturbed.complaints > complaints

    async def _wait_out(self, ordeal: Ordeal) -> None:
        for signal in ordeal.gap:
            await self.live(STEP, signal)
            record = self.disturbed.record
            assert (record.up, record.management_up, record.status) == (False, False, None)
            assert record.down_reason in ordeal.allowed
        if ordeal.shut:
            await self.proxy.opens()
        self.proxy.releases()

    def compare(self) -> None:
        """See that nobody tells more than the truth, and each all that it could know.

        What a session moved after the last poll that found it, until it was gone, nobody could:
        by this, to the byte, the disturbed totals are below the direct ones.
        """
        direct, disturbed = self.direct, self.disturbed
        assert direct.totals == direct.truth.totals
        assert disturbed.totals == disturbed.truth.totals
        for name, (received, sent) in disturbed.totals.items():
            assert received <= direct.totals[name][0], name
            assert sent <= direct.totals[name][1], name
        for what, times in disturbed.happenings.items():
            assert times <= direct.happenings[what], what

    async def settle(self) -> None:
        """Let everything be told that is told late.

        A client that came and went is given up after two statuses; and polls answered in format
        1, which has no ids, end no session that has one.
        """
        await self.live_and_poll(1)
        if self.disturbed.record.status_fallbacks:
            await self.disturbed.bell.rings(STATUS_1_POLLS)
        await self.live_and_poll(1)
        await self.live_and_poll(1)

    def are_alike(self) -> None:
        """See that both watchers say the same of now and, bytes apart, of all that happened."""
        direct, disturbed = self.direct.record, self.disturbed.record
        missed = self.direct.happenings.items() - self.disturbed.happenings.items()
        assert not missed
        assert disturbed.traffic.received_bytes == direct.traffic.received_bytes
        assert disturbed.traffic.sent_bytes == direct.traffic.sent_bytes
        assert disturbed.state == direct.state
        assert isinstance(disturbed.status, ServerStatus)
        assert isinstance(direct.status, ServerStatus)
        assert disturbed.status.clients == direct.status.clients


@contextlib.asynccontextmanager
async def restless(seed: int, clock: Callable[[], float]) -> AsyncIterator[SimulatedDaemon]:
    """Serve a daemon whose people never rest; it has been running for a minute."""
    chance = random.Random(seed)
    daemon = ServerDaemon(
        ServerSettings(),
        make_identities(PEOPLE, rng=chance),
        RESTLESS,
        rng=chance,
        start=clock() - 120,
        now=clock() - 60,
    )
    slot = ManagementSlot(daemon, clock)
    slot.advance()
    listening = ManagementListener(slot)
    async with listening.serving():
        yield SimulatedDaemon(daemon, listening)


def endpoint(simulated: SimulatedDaemon) -> TcpEndpoint:
    """Return where a simulated daemon listens."""
    host, _, port = simulated.address.rpartition(":")
    return TcpEndpoint(host, int(port))
