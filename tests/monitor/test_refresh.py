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
from tests.fake_daemon import REPLIES, TEST_TIMEOUT, FakeSession, fake_daemon, free_port
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
    demand.mark_fresh(sleeper.wake)
    return demand


class TestDemand:
    async def test_of_a_daemon_without_a_session_is_not_waited_for(self) -> None:
        demand = RefreshRequest()
        assert demand.request(TEST_TIMEOUT) is None
        assert not demand.pending

    async def test_is_met_by_a_reading_that_is_fresh(self) -> None:
        sleeper = Sleeper()
        assert attended(sleeper).request(TEST_TIMEOUT) is None
        assert sleeper.woken == 0

    @pytest.mark.usefixtures("always_old")
    async def test_of_many_wakes_the_session_once_and_is_answered_at_once(self) -> None:
        sleeper = Sleeper()
        demand = attended(sleeper)
        answers = [demand.request(TEST_TIMEOUT) for _ in range(3)]
        assert sleeper.woken == 1
        assert demand.pending
        demand.mark_fresh(sleeper.wake)
        assert [answer.done() for answer in answers if answer] == [True] * 3
        assert not demand.pending

    @pytest.mark.usefixtures("always_old")
    async def test_ends_with_the_session(self) -> None:
        sleeper = Sleeper()
        demand = attended(sleeper)
        answer = demand.request(TEST_TIMEOUT)
        demand.cancel()
        assert answer is not None
        assert answer.done()
        assert demand.request(TEST_TIMEOUT) is None
        assert sleeper.woken == 1

    @pytest.mark.usefixtures("always_old")
    async def test_that_is_overdue_is_not_waited_for_again_until_it_is_met(self) -> None:
        sleeper = Sleeper()
        demand = attended(sleeper)
        assert demand.request(0.0) is not None
        assert demand.request(0.0) is None
        assert demand.request(TEST_TIMEOUT) is not None
        demand.mark_fresh(sleeper.wake)
        assert demand.request(0.0) is not None
        assert sleeper.woken == 2


class SeenDemand(RefreshRequest):
    """A demand that tells when the session rests."""

    def __init__(self) -> None:
        super().__init__()
        self._rests = asyncio.Event()

    def mark_fresh(self, wake: Callable[[], None]) -> None:
        super().mark_fresh(wake)
        self._rests.set()

    async def rests(self) -> None:
        async with asyncio.timeout(TEST_TIMEOUT):
            await self._rests.wait()


@asynccontextmanager
async def resting(
    *, interval: float = NEVER, deadline: float = TEST_TIMEOUT
) -> AsyncIterator[tuple[Monitor, FakeSession]]:
    """Watch a daemon that has answered one poll."""
    async with fake_daemon() as daemon:
        watcher = monitor(daemon.endpoint, interval=interval, deadline=deadline)
        watcher.refresh_request = seen = SeenDemand()
        async with running(watcher):
            session = await daemon.accept_and_greet()
            await session.reply_to_polls(1)
            await seen.rests()
            yield watcher, session


@pytest.mark.usefixtures("always_old")
class TestRefreshing:
    async def test_causes_one_poll_for_all_who_scrape_at_the_same_time(self) -> None:
        async with resting() as (watcher, session):
            scrapes = [
                asyncio.create_task(refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT))
                for _ in range(3)
            ]
            await session.reply_to_polls(1)
            await asyncio.gather(*scrapes)
            assert session.received.count(b"status 3") == watcher.daemon.polls == 2

    async def test_joins_a_poll_that_is_under_way(self) -> None:
        async with resting() as (watcher, session):
            first = asyncio.create_task(refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT))
            await session.reply(until=b"status 3")
            second = asyncio.create_task(refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT))
            await asyncio.wait([second], timeout=IMPATIENT)
            assert not second.done()
            session.send_lines(*REPLIES[b"status 3"])
            await asyncio.gather(first, second)
            assert watcher.daemon.polls == 2

    async def test_gives_a_reading_that_is_ready_to_be_shown(self) -> None:
        async with resting() as (watcher, session):
            scrape = asyncio.create_task(refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT))
            grown = (b"SUCCESS: nclients=1,bytesin=4005,bytesout=3148",)
            await session.reply_to_polls(1, replies={**REPLIES, b"load-stats": grown})
            await scrape
            assert watcher.daemon.traffic.received_bytes == 4005

    async def test_goes_on_without_a_daemon_that_hangs_and_waits_for_it_once(self) -> None:
        async with resting() as (watcher, session), resting() as (other, healthy):
            both = [watcher.refresh_request, other.refresh_request]
            scrape = asyncio.create_task(refresh(both, max_wait=IMPATIENT))
            await session.reply(until=b"load-stats")
            await healthy.reply_to_polls(1)
            await scrape
            assert (watcher.daemon.polls, other.daemon.polls) == (1, 2)
            assert watcher.refresh_request.request(IMPATIENT) is None

    async def test_asks_nothing_of_a_daemon_that_is_silent(self, log: LogCapture) -> None:
        async with resting(deadline=SHORT) as (watcher, session):
            scrape = asyncio.create_task(refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT))
            await session.reply(until=b"load-stats")
            await scrape
            assert not watcher.daemon.up
            assert watcher.daemon.poll_failures.total() == 1
            await refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT)
            hearing = asyncio.create_task(session.read_line())
            await asyncio.wait([hearing], timeout=IMPATIENT)
            assert not hearing.done()
            hearing.cancel()

    async def test_opens_no_session_where_the_slot_is_released(self) -> None:
        async with fake_daemon() as daemon:
            watcher = monitor(daemon.endpoint, interval=NEVER, slot=SlotPolicy.RELEASE)
            async with running(watcher):
                session = await daemon.accept_and_greet()
                await session.reply_to_polls(1)
                assert await session.read_line() == b"quit"
                session.close()
                await refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT)
                assert watcher.daemon.up
                assert daemon.all_accepted

    async def test_does_not_wait_for_a_daemon_that_is_down(self, log: LogCapture) -> None:
        watcher = monitor(TcpEndpoint("127.0.0.1", free_port()), interval=NEVER)
        async with running(watcher):
            await log.wait_for_down()
            await refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT)

    async def test_never_brings_an_exporter_back_that_has_stepped_aside(
        self, log: LogCapture
    ) -> None:
        async with resting() as (watcher, session):
            session.send_lines(b">HOLD:Waiting for hold release:0")
            assert await log.wait_for_down() == "hold"
            await session.wait_closed()
            await refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT)
            assert watcher.daemon.management_connects == 1

    async def test_ends_when_the_daemon_hangs_up(self) -> None:
        async with resting() as (watcher, session):
            scrape = asyncio.create_task(refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT))
            await session.reply(until=b"load-stats")
            session.close()
            await scrape
            assert not watcher.daemon.up


@pytest.mark.usefixtures("always_old")
async def test_a_wish_takes_the_place_of_the_poll_that_would_come_next() -> None:
    """Scrapes as frequent as polls must not double them."""
    interval = 1.0
    loop = asyncio.get_running_loop()
    async with resting(interval=interval) as (watcher, session):
        scrape = asyncio.create_task(refresh([watcher.refresh_request], max_wait=TEST_TIMEOUT))
        await session.reply_to_polls(1)
        await scrape
        answered = loop.time()
        assert await session.read_line() == b"load-stats"
        assert loop.time() - answered >= interval
