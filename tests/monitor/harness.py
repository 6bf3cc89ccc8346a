"""A monitor at work, with short intervals and chance in the test's hand."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

from exporter.config.schema import DaemonConfig, SlotPolicy
from exporter.config.target import Target
from exporter.management.endpoint import Endpoint
from exporter.monitor.monitor import Monitor
from exporter.state.daemon import DaemonState
from tests.fake_daemon import GREETING, PROMPT, TEST_TIMEOUT, FakeDaemon, FakeSession

INTERVAL = 0.05
SHORT = 0.3
"""Seconds: the deadline of monitors whose daemon stays silent on purpose."""

NOW = 1795406000.0


class AtOnce(random.Random):
    """Chance that never makes anybody wait."""

    def uniform(self, a: float, b: float) -> float:
        """Return the lower end."""
        return a


class AtLast(random.Random):
    """Chance that makes everybody wait as long as may be."""

    def uniform(self, a: float, b: float) -> float:
        """Return the upper end."""
        return b


def monitor(
    endpoint: Endpoint,
    *,
    deadline: float = TEST_TIMEOUT,
    interval: float = INTERVAL,
    password_file: Path | None = None,
    slot: SlotPolicy = SlotPolicy.HOLD,
) -> Monitor:
    """Return a monitor that comes back at once whenever it may."""
    daemon = DaemonConfig(
        name="office",
        management=endpoint,
        timeout=deadline,
        password_file=password_file,
        slot=slot,
    )
    target = Target(daemon, poll_interval=interval)
    return Monitor(target, clock=lambda: NOW, rng=AtOnce())


@contextlib.asynccontextmanager
async def running(watcher: Monitor) -> AsyncIterator[asyncio.Task[None]]:
    """Let it run until the block is left, and see that it has not ended before."""
    task = asyncio.create_task(watcher.run())
    try:
        yield task
        assert not task.done(), task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def watching(
    endpoint: Endpoint,
    *,
    deadline: float = TEST_TIMEOUT,
    interval: float = INTERVAL,
    password_file: Path | None = None,
) -> AsyncIterator[DaemonState]:
    """Watch one daemon until the block is left."""
    watcher = monitor(endpoint, deadline=deadline, interval=interval, password_file=password_file)
    async with running(watcher):
        yield watcher.daemon


async def polled_times(daemon: FakeDaemon, times: int) -> None:
    """Let a daemon be visited and polled so many times."""
    session = await daemon.accept_and_greet()
    await session.reply_to_polls(times)


def write(directory: Path, password: str) -> Path:
    """Write the file with the management password."""
    path = directory / "office.password"
    path.write_text(f"{password}\n")
    return path


async def logs_in(daemon: FakeDaemon) -> FakeSession:
    """Let a daemon take any password."""
    session = await daemon.accept()
    session.send_bytes(PROMPT)
    await session.read_line()
    session.send_lines(b"SUCCESS: password is correct", GREETING)
    return session
