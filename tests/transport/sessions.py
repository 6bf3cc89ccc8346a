"""A connection and the daemon at its other end, the test being in the middle."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
from tests.fake_daemon import GREETING, TEST_TIMEOUT, FakeSession, fake_daemon

SHORT = 0.3
"""Seconds: the deadline of connections whose peer stays silent on purpose."""


@contextlib.asynccontextmanager
async def connected(
    *, deadline: float = TEST_TIMEOUT, unix_path: Path | None = None
) -> AsyncIterator[tuple[Connection, FakeSession]]:
    """Connect; nobody has said anything yet."""
    async with fake_daemon(unix_path) as daemon:
        stream = await connector_for(daemon.endpoint, timeout=TEST_TIMEOUT).connect()
        connection = Connection(stream, timeout=deadline)
        try:
            yield connection, await daemon.accept()
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def session(
    *, deadline: float = TEST_TIMEOUT
) -> AsyncIterator[tuple[Connection, FakeSession]]:
    """Connect and log in."""
    async with connected(deadline=deadline) as (connection, daemon):
        daemon.send_lines(GREETING)
        await connection.log_in(None)
        yield connection, daemon
