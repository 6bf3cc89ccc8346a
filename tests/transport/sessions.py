"""A connection and the daemon at its other end, the test being in the middle."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
from tests.fake_daemon import GREETING, SAFETY, Visit, peer

SHORT = 0.3
"""Seconds: the deadline of connections whose peer stays silent on purpose."""


@contextlib.asynccontextmanager
async def connected(
    *, deadline: float = SAFETY, unix_path: Path | None = None
) -> AsyncIterator[tuple[Connection, Visit]]:
    """Connect; nobody has said anything yet."""
    async with peer(unix_path) as daemon:
        stream = await connector_for(daemon.endpoint, timeout=SAFETY).open()
        connection = Connection(stream, timeout=deadline)
        try:
            yield connection, await daemon.visit()
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def session(*, deadline: float = SAFETY) -> AsyncIterator[tuple[Connection, Visit]]:
    """Connect and log in."""
    async with connected(deadline=deadline) as (connection, daemon):
        daemon.says(GREETING)
        await connection.log_in(None)
        yield connection, daemon
