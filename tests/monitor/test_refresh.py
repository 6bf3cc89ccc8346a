"""Wishes for a reading of now, and the one poll that answers them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from exporter.config.schema import SlotPolicy
from exporter.management.endpoint import TcpEndpoint
from exporter.monitor import refresh as refresh_module
from exporter.monitor.monitor import Monitor
from exporter.monitor.refresh import RefreshRequest, refresh
from tests.fake_daemon import ANSWERS, SAFETY, Visit, free_port, peer
from tests.log_capture import LogCapture
from tests.monitor.harness import SHORT, monitor, running

NEVER = 3600.0
"""Seconds between polls that nobody wishes for."""

IMPATIENT = 0.05


@pytest.fixture
def always_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh_module, "MAX_AGE", 0.0)


class Sleeper:
    """A session at rest, which counts how often it is woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


def attended(sleeper: Sleeper) -> RefreshRequest:
    demand = RefreshRequest()
    demand.answered(sleeper.wake)
    return demand


class TestDemand:
    async def test_of_a_daemon_without_a_session_is_not_waited_for(self) -> None:
        demand = RefreshRequest()
        assert demand.ask(SAFETY) is None
        assert not demand.waits

    async def test_is_met_by_a_reading_that_is_fresh(self) -> None:
        sleeper = Sleeper()
        assert attended(sleeper).ask(SAFETY) is None
        assert sleeper.woken == 0

    @pytest.mark.usefixtures("always_old")
    async def test_of_many_wakes_the_session_once_and_is_answered_at_once(self) -> None:
        sleeper = Sleeper()
        demand = attended(sleeper)
        answers = [demand.ask(SAFETY) for _ in range(3)]
        assert sleeper.woken == 1
        assert demand.waits
        demand.answered(sleeper.wake)
        assert [answer.done() for answer in answers if answer] == [True] * 3
        assert not demand.waits

    @pytest.mark.usefixtures("always_old")
    async def test_ends_with_the_session(self) -> None:
        sleeper = Sleeper()
        demand = attended(sleeper)
        answer = demand.ask(SAFETY)
        demand.withdraw()
        assert answer is not None
        assert answer.done()
        assert demand.ask(SAFETY) is None
        assert sleeper.woken == 1

    @pytest.mark.usefixtures("always_old")
    async def test_that_is_overdue_is_not_waited_for_again_until_it_is_met(self) -> None:
        sleeper = Sleeper()
        demand = attended(sleeper)
        assert demand.ask(0.0) is not None
        assert demand.ask(0.0) is None
        assert demand.ask(SAFETY) is not None
        demand.answered(sleeper.wake)
        assert demand.ask(0.0) is not None
        assert sleeper.woken == 2


class SeenDemand(RefreshRequest):
    """A demand that tells when the session rests."""

    def __init__(self) -> None:
        super().__init__()
        self._rests = asyncio.Event()

    def answered(self, wake: Callable[[], None]) -> None:
        super().answered(wake)
        self._rests.set()

    async def rests(self) -> None:
        async with asyncio.timeout(SAFETY):
            await self._rests.wait()


@asynccontextmanager
async def resting(
    *, interval: float = NEVER, deadline: float = SAFETY
) -> AsyncIterator[tuple[Monitor, Visit]]:
    """Watch a daemon that has answered one poll."""
    async with peer() as daemon:
        watcher = monitor(daemon.endpoint, interval=interval, deadline=deadline)
        watcher.demand = seen = SeenDemand()
        async with running(watcher):
            visit = await daemon.greeted()
            await visit.polls(1)
            await seen.rests()
            yield watcher, visit


@pytest.mark.usefixtures("always_old")
class TestRefreshing:
    async def test_causes_one_poll_for_all_who_scrape_at_the_same_time(self) -> None:
        async with resting() as (watcher, visit):
            scrapes = [
                asyncio.create_task(refresh([watcher.demand], patience=SAFETY)) for _ in range(3)
            ]
            await visit.polls(1)
            await asyncio.gather(*scrapes)
            assert visit.heard.count(b"status 3") == watcher.record.polls == 2

    async def test_joins_a_poll_that_is_under_way(self) -> None:
        async with resting() as (watcher, visit):
            first = asyncio.create_task(refresh([watcher.demand], patience=SAFETY))
            await visit.answers(until=b"status 3")
            second = asyncio.create_task(refresh([watcher.demand], patience=SAFETY))
            await asyncio.wait([second], timeout=IMPATIENT)
            assert not second.done()
            visit.says(*ANSWERS[b"status 3"])
            await asyncio.gather(first, second)
            assert watcher.record.polls == 2

    async def test_gives_a_reading_that_is_ready_to_be_shown(self) -> None:
        async with resting() as (watcher, visit):
            scrape = asyncio.create_task(refresh([watcher.demand], patience=SAFETY))
            grown = (b"SUCCESS: nclients=1,bytesin=4005,bytesout=3148",)
            await visit.polls(1, answers={**ANSWERS, b"load-stats": grown})
            await scrape
            assert watcher.record.traffic.received_bytes == 4005

    async def test_goes_on_without_a_daemon_that_hangs_and_waits_for_it_once(self) -> None:
        async with resting() as (watcher, visit), resting() as (other, healthy):
            both = [watcher.demand, other.demand]
            scrape = asyncio.create_task(refresh(both, patience=IMPATIENT))
            await visit.answers(until=b"load-stats")
            await healthy.polls(1)
            await scrape
            assert (watcher.record.polls, other.record.polls) == (1, 2)
            assert watcher.demand.ask(IMPATIENT) is None

    async def test_asks_nothing_of_a_daemon_that_is_silent(self, log: LogCapture) -> None:
        async with resting(deadline=SHORT) as (watcher, visit):
            scrape = asyncio.create_task(refresh([watcher.demand], patience=SAFETY))
            await visit.answers(until=b"load-stats")
            await scrape
            assert not watcher.record.up
            assert watcher.record.poll_failures.total() == 1
            await refresh([watcher.demand], patience=SAFETY)
            hearing = asyncio.create_task(visit.hears())
            await asyncio.wait([hearing], timeout=IMPATIENT)
            assert not hearing.done()
            hearing.cancel()

    async def test_opens_no_session_where_the_slot_is_released(self) -> None:
        async with peer() as daemon:
            watcher = monitor(daemon.endpoint, interval=NEVER, slot=SlotPolicy.RELEASE)
            async with running(watcher):
                visit = await daemon.greeted()
                await visit.polls(1)
                assert await visit.hears() == b"quit"
                visit.hangs_up()
                await refresh([watcher.demand], patience=SAFETY)
                assert watcher.record.up
                assert daemon.nobody_waits

    async def test_does_not_wait_for_a_daemon_that_is_down(self, log: LogCapture) -> None:
        watcher = monitor(TcpEndpoint("127.0.0.1", free_port()), interval=NEVER)
        async with running(watcher):
            await log.reads_down()
            await refresh([watcher.demand], patience=SAFETY)

    async def test_never_brings_an_exporter_back_that_has_stepped_aside(
        self, log: LogCapture
    ) -> None:
        async with resting() as (watcher, visit):
            visit.says(b">HOLD:Waiting for hold release:0")
            assert await log.reads_down() == "hold"
            await visit.is_left()
            await refresh([watcher.demand], patience=SAFETY)
            assert watcher.record.connects == 1

    async def test_ends_when_the_daemon_hangs_up(self) -> None:
        async with resting() as (watcher, visit):
            scrape = asyncio.create_task(refresh([watcher.demand], patience=SAFETY))
            await visit.answers(until=b"load-stats")
            visit.hangs_up()
            await scrape
            assert not watcher.record.up


@pytest.mark.usefixtures("always_old")
async def test_a_wish_takes_the_place_of_the_poll_that_would_come_next() -> None:
    """Scrapes as frequent as polls must not double them."""
    interval = 1.0
    loop = asyncio.get_running_loop()
    async with resting(interval=interval) as (watcher, visit):
        scrape = asyncio.create_task(refresh([watcher.demand], patience=SAFETY))
        await visit.polls(1)
        await scrape
        answered = loop.time()
        assert await visit.hears() == b"load-stats"
        assert loop.time() - answered >= interval
