"""A running monitor, with short intervals and a jitter that the test chooses."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

from exporter.config.schema import DaemonConfig, SlotPolicy
from exporter.config.target import Target
from exporter.management.endpoint import Endpoint
from exporter.monitor.monitor import Monitor
from exporter.state.daemon import DaemonState
from exporter.transport import connection
from tests.fake_daemon import GREETING, PROMPT, TEST_TIMEOUT, FakeDaemon, FakeSession

INTERVAL = 0.05
SHORT = 0.3
"""Seconds: the timeout of monitors whose daemon does not reply on purpose."""

NOW = 1795406000.0


class NoJitter(random.Random):
    """A source of random numbers that makes every backoff 0."""

    def uniform(self, a: float, b: float) -> float:
        """Return the lower end."""
        return a


class FullJitter(random.Random):
    """A source of random numbers that makes every backoff as long as possible."""

    def uniform(self, a: float, b: float) -> float:
        """Return the upper end."""
        return b


def make_monitor(
    endpoint: Endpoint,
    *,
    deadline: float = TEST_TIMEOUT,
    interval: float = INTERVAL,
    password_file: Path | None = None,
    slot: SlotPolicy = SlotPolicy.HOLD,
) -> Monitor:
    """Return a monitor that reconnects without jitter."""
    daemon = DaemonConfig(
        name="office",
        management=endpoint,
        timeout=deadline,
        password_file=password_file,
        slot=slot,
    )
    target = Target(daemon, poll_interval=interval)
    return Monitor(target, clock=lambda: NOW, rng=NoJitter())


@contextlib.asynccontextmanager
async def running(monitor: Monitor) -> AsyncIterator[asyncio.Task[None]]:
    """Run a monitor until the end of the block; it must not end before.

    Then it does not wait for a reply that the test leaves out.
    """
    task = asyncio.create_task(monitor.run())
    try:
        yield task
        assert not task.done(), task
    finally:
        task.cancel()
        with (
            patch.object(connection, "_LAST_REPLY", 0.01),
            contextlib.suppress(asyncio.CancelledError),
        ):
            await task


@contextlib.asynccontextmanager
async def running_monitor(
    endpoint: Endpoint,
    *,
    deadline: float = TEST_TIMEOUT,
    interval: float = INTERVAL,
    password_file: Path | None = None,
) -> AsyncIterator[DaemonState]:
    """Monitor one daemon until the end of the block; yield its state."""
    monitor = make_monitor(
        endpoint, deadline=deadline, interval=interval, password_file=password_file
    )
    async with running(monitor):
        yield monitor.daemon


async def reply_to_polls(daemon: FakeDaemon, times: int) -> None:
    """Let a daemon accept a session and reply to some polls."""
    session = await daemon.accept_and_greet()
    await session.reply_to_polls(times)


def write(directory: Path, password: str) -> Path:
    """Write the file with the management password."""
    path = directory / "office.password"
    path.write_text(f"{password}\n")
    return path


async def accept_login(daemon: FakeDaemon) -> FakeSession:
    """Let a daemon accept any password."""
    session = await daemon.accept()
    session.send_bytes(PROMPT)
    await session.read_line()
    session.send_lines(b"SUCCESS: password is correct", GREETING)
    return session
