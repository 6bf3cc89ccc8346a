"""Polls on demand: concurrent requests share one poll."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from exporter.config.schema import SlotPolicy
from exporter.management.endpoint import TcpEndpoint
from exporter.monitor import refresh as refresh_module
from exporter.monitor import schedule
from exporter.monitor import session as session_module
from exporter.monitor.monitor import Monitor
from exporter.monitor.refresh import RefreshRequest, refresh
from tests.fake_daemon import REPLIES, TEST_TIMEOUT, FakeSession, fake_daemon, free_port
from tests.log_capture import LogCapture
from tests.monitor.harness import SHORT, make_monitor, running

NEVER = 3600.0
"""A poll interval longer than the test."""

SHORT_WAIT = 0.05


@pytest.fixture
def always_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh_module, "MAX_AGE", 0.0)


class IdleSession:
    """An idle session, which counts how often it is woken."""

    def __init__(self) -> None:
        self.wakeups = 0

    def wake(self) -> None:
        self.wakeups += 1


def request_of(idle_session: IdleSession) -> RefreshRequest:
    request = RefreshRequest()
    request.mark_fresh(idle_session.wake)
    return request


class TestRefreshRequest:
    async def test_without_a_session_does_not_wait(self) -> None:
        request = RefreshRequest()
        assert request.request(TEST_TIMEOUT) is None
        assert not request.pending

    async def test_with_a_fresh_status_does_not_wait(self) -> None:
        idle_session = IdleSession()
        assert request_of(idle_session).request(TEST_TIMEOUT) is None
        assert idle_session.wakeups == 0

    @pytest.mark.usefixtures("always_old")
    async def test_by_many_wakes_the_session_once(self) -> None:
        idle_session = IdleSession()
        request = request_of(idle_session)
        answers = [request.request(TEST_TIMEOUT) for _ in range(3)]
        assert idle_session.wakeups == 1
        assert request.pending
        request.mark_fresh(idle_session.wake)
        assert [answer.done() for answer in answers if answer] == [True] * 3
        assert not request.pending

    @pytest.mark.usefixtures("always_old")
    async def test_ends_with_the_session(self) -> None:
        idle_session = IdleSession()
        request = request_of(idle_session)
        answer = request.request(TEST_TIMEOUT)
        request.cancel()
        assert answer is not None
        assert answer.done()
        assert request.request(TEST_TIMEOUT) is None
        assert idle_session.wakeups == 1

    @pytest.mark.usefixtures("always_old")
    async def test_that_is_overdue_is_not_awaited_again(self) -> None:
        idle_session = IdleSession()
        request = request_of(idle_session)
        assert request.request(0.0) is not None
        assert request.request(0.0) is None
        assert request.request(TEST_TIMEOUT) is not None
        request.mark_fresh(idle_session.wake)
        assert request.request(0.0) is not None
        assert idle_session.wakeups == 2


class ObservedRequest(RefreshRequest):
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
        monitor = make_monitor(daemon.endpoint, interval=interval, deadline=deadline)
        monitor.refresh_request = seen = ObservedRequest()
        async with running(monitor):
            session = await daemon.accept_and_greet()
            await session.reply_to_polls(1)
            await seen.rests()
            yield monitor, session


@pytest.mark.usefixtures("always_old")
class TestRefresh:
    async def test_polls_once_for_concurrent_scrapes(self) -> None:
        async with resting() as (monitor, session):
            scrapes = [
                asyncio.create_task(refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT))
                for _ in range(3)
            ]
            await session.reply_to_polls(1)
            await asyncio.gather(*scrapes)
            assert session.received.count(b"status 3") == monitor.daemon.polls == 2

    async def test_puts_off_the_next_poll_by_an_interval(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []

        def next_due(due: float, interval: float, *, after: float) -> float:
            pauses.append(after)
            return schedule.next_due(due, interval, after=after)

        monkeypatch.setattr(session_module, "next_due", next_due)
        async with resting() as (monitor, session):
            for _ in range(2):
                scrape = refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT)
                await asyncio.gather(scrape, session.reply_to_polls(1))
        assert pauses == [0.0, NEVER, NEVER]

    async def test_joins_the_current_poll(self) -> None:
        async with resting() as (monitor, session):
            first = asyncio.create_task(refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT))
            await session.reply(until=b"status 3")
            second = asyncio.create_task(refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT))
            await asyncio.wait([second], timeout=SHORT_WAIT)
            assert not second.done()
            session.send_lines(*REPLIES[b"status 3"])
            await asyncio.gather(first, second)
            assert monitor.daemon.polls == 2

    async def test_returns_after_the_status_is_rendered(self) -> None:
        async with resting() as (monitor, session):
            scrape = asyncio.create_task(refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT))
            grown = (b"SUCCESS: nclients=1,bytesin=4005,bytesout=3148",)
            await session.reply_to_polls(1, replies={**REPLIES, b"load-stats": grown})
            await scrape
            assert monitor.daemon.traffic.received_bytes == 1000

    async def test_waits_once_for_a_hung_daemon(self) -> None:
        async with resting() as (monitor, session), resting() as (other, healthy):
            both = [monitor.refresh_request, other.refresh_request]
            scrape = asyncio.create_task(refresh(both, max_wait=SHORT_WAIT))
            await session.reply(until=b"load-stats")
            await healthy.reply_to_polls(1)
            await scrape
            assert (monitor.daemon.polls, other.daemon.polls) == (1, 2)
            assert monitor.refresh_request.request(SHORT_WAIT) is None

    async def test_sends_nothing_to_a_daemon_that_timed_out(self, log: LogCapture) -> None:
        async with resting(deadline=SHORT) as (monitor, session):
            scrape = asyncio.create_task(refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT))
            await session.reply(until=b"load-stats")
            await scrape
            assert not monitor.daemon.up
            assert monitor.daemon.poll_failures.total() == 1
            await refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT)
            hearing = asyncio.create_task(session.read_line())
            await asyncio.wait([hearing], timeout=SHORT_WAIT)
            assert not hearing.done()
            hearing.cancel()

    async def test_opens_no_session_while_the_slot_is_released(self) -> None:
        async with fake_daemon() as daemon:
            monitor = make_monitor(daemon.endpoint, interval=NEVER, slot=SlotPolicy.RELEASE)
            async with running(monitor):
                session = await daemon.accept_and_greet()
                await session.reply_to_polls(1)
                assert await session.read_line() == b"quit"
                session.close()
                await refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT)
                assert monitor.daemon.up
                assert daemon.all_accepted

    async def test_does_not_wait_for_a_daemon_that_is_down(self, log: LogCapture) -> None:
        monitor = make_monitor(TcpEndpoint("127.0.0.1", free_port()), interval=NEVER)
        async with running(monitor):
            await log.wait_for_down()
            await refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT)

    async def test_opens_no_session_during_a_prompt(self, log: LogCapture) -> None:
        async with resting() as (monitor, session):
            session.send_lines(b">HOLD:Waiting for hold release:0")
            assert await log.wait_for_down() == "hold"
            await session.wait_closed()
            await refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT)
            assert monitor.daemon.management_connects == 1

    async def test_ends_when_the_session_closes(self) -> None:
        async with resting() as (monitor, session):
            scrape = asyncio.create_task(refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT))
            await session.reply(until=b"load-stats")
            session.close()
            await scrape
            assert not monitor.daemon.up


@pytest.mark.usefixtures("always_old")
async def test_a_refresh_replaces_the_next_poll() -> None:
    """Scrapes as frequent as polls must not double them."""
    interval = 1.0
    loop = asyncio.get_running_loop()
    async with resting(interval=interval) as (monitor, session):
        scrape = asyncio.create_task(refresh([monitor.refresh_request], max_wait=TEST_TIMEOUT))
        await session.reply_to_polls(1)
        await scrape
        answered = loop.time()
        assert await session.read_line() == b"load-stats"
        assert loop.time() - answered >= interval
