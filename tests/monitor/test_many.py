"""Many monitors on one event loop."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence

import pytest

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.endpoint import parse_endpoint
from exporter.monitor import monitor as monitor_module
from exporter.monitor.monitor import Monitor
from exporter.monitor.schedule import SLOTS, next_due
from exporter.simulator import simulated_server
from exporter.state.daemon import DaemonState
from tests.fake_daemon import TEST_TIMEOUT, FakeDaemon, fake_daemon
from tests.monitor.harness import running

INTERVAL = 15.0


class Polls:
    """The names of daemons in the order of their polls."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._news = asyncio.Condition()

    async def note(self, state: DaemonState) -> None:
        async with self._news:
            self.names.append(state.name)
            self._news.notify_all()

    async def each(self, times: int, names: Sequence[str]) -> None:
        """Wait until each of these was polled so often."""
        async with asyncio.timeout(TEST_TIMEOUT), self._news:
            await self._news.wait_for(
                lambda: all(Counter(self.names)[name] >= times for name in names)
            )


def make_monitor(
    name: str, address: str, polls: Polls, *, interval: float, stagger: float
) -> Monitor:
    daemon = DaemonConfig(name=name, management=parse_endpoint(address), timeout=TEST_TIMEOUT)
    target = Target(daemon, poll_interval=interval)
    return Monitor(target, on_updated=polls.note, stagger=stagger)


@pytest.fixture(autouse=True)
def all_begin_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module, "START_SPREAD", 0.0)


async def test_polls_of_many_daemons_are_staggered() -> None:
    polls, names = Polls(), [str(number) for number in range(5)]
    async with contextlib.AsyncExitStack() as stack:
        monitors, tasks = [], []
        for number, name in enumerate(names):
            daemon = await stack.enter_async_context(simulated_server(clients=2))
            monitors.append(
                make_monitor(name, daemon.address, polls, interval=1.0, stagger=0.5 + number / 10)
            )
        tasks.extend([await stack.enter_async_context(running(it)) for it in reversed(monitors)])
        await polls.each(2, names)
    assert set(polls.names[:5]) == set(names)
    assert polls.names[5:] == names


async def test_a_thousand_daemons_share_the_points_of_time_of_their_polls() -> None:
    now = asyncio.get_running_loop().time()
    first = [
        next_due(now + number * INTERVAL / 1000, INTERVAL, after=0.0) for number in range(1000)
    ]
    later = [next_due(due - 50 * INTERVAL, INTERVAL, after=0.0) for due in first]
    assert SLOTS <= len(set(first)) <= SLOTS + 1
    assert max(Counter(first).values()) <= 1000 / SLOTS + 1
    for due, again in zip(first, later, strict=True):
        steps = (again - due) / INTERVAL
        assert steps == pytest.approx(round(steps), abs=1e-6)  # no session drifts to another point


async def test_a_poll_that_was_missed_is_due_later_than_now() -> None:
    now = asyncio.get_running_loop().time()
    for number in range(5000):
        interval = INTERVAL * (1 + number % 97 / 97)  # points of time in any distance from now
        assert next_due(now - number * interval / 1000, interval, after=0.0) > now


async def test_hung_daemons_do_not_delay_the_others() -> None:
    polls, hung, tasks = Polls(), [], []
    async with contextlib.AsyncExitStack() as stack:
        for number in range(30):
            if number % 10 == 0:
                mute: FakeDaemon = await stack.enter_async_context(fake_daemon())
                address = str(mute.endpoint)
                hung.append((mute, str(number)))
            else:
                daemon = await stack.enter_async_context(simulated_server(clients=2))
                address = daemon.address
            monitor = make_monitor(str(number), address, polls, interval=0.2, stagger=number / 30)
            tasks.append(await stack.enter_async_context(running(monitor)))
        for mute, _ in hung:
            session = await mute.accept_and_greet()
            await session.reply(until=b"status 3")
        mute_names = {name for _, name in hung}
        healthy = [str(number) for number in range(30) if str(number) not in mute_names]
        # Long before the deadline of those that hang.
        await polls.each(5, healthy)
    assert set(polls.names) == set(healthy)
