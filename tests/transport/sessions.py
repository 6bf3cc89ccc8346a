"""A connection and the fake daemon at its other end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
from tests.fake_daemon import GREETING, TEST_TIMEOUT, FakeSession, fake_daemon

SHORT = 0.3
"""Seconds: the timeout of connections whose peer stays silent on purpose."""


@contextlib.asynccontextmanager
async def connected(
    *, deadline: float = TEST_TIMEOUT, unix_path: Path | None = None
) -> AsyncIterator[tuple[Connection, FakeSession]]:
    """Connect, without a login."""
    async with fake_daemon(unix_path) as daemon:
        stream = await connector_for(daemon.endpoint, timeout=TEST_TIMEOUT).connect()
        connection = Connection(stream, timeout=deadline)
        try:
            yield connection, await daemon.accept()
        finally:
            await connection.close()


async def ended(connection: Connection) -> None:
    """Wait until the session has ended."""
    end = asyncio.Event()
    connection.on_end = end.set
    if connection.error is not None:
        return
    async with asyncio.timeout(TEST_TIMEOUT):
        await end.wait()


@contextlib.asynccontextmanager
async def session(
    *, deadline: float = TEST_TIMEOUT
) -> AsyncIterator[tuple[Connection, FakeSession]]:
    """Connect and log in."""
    async with connected(deadline=deadline) as (connection, daemon):
        daemon.send_lines(GREETING)
        await connection.log_in(None)
        yield connection, daemon
