"""A cable to a daemon's management port that can be pulled out and put back in.

Whoever calls while it is out is not refused but kept waiting, and goes on once it is back.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from tests.real.lab import Lab
from tests.real.management import LOOPBACK, Management, TcpAddress

READ_SIZE = 65536


class Link:
    """``management`` is the end to call."""

    def __init__(self, daemon: TcpAddress, management: Management) -> None:
        self.management = management
        self._daemon = daemon
        self._plugged = asyncio.Event()
        self._plugged.set()
        self._ends: set[StreamWriter] = set()

    def disconnect(self) -> None:
        """End every session at once, on both sides."""
        self._plugged.clear()
        for end in self._ends:
            end.transport.abort()

    def reconnect(self) -> None:
        """Let whoever waits go on, and everybody who calls from now on."""
        self._plugged.set()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Carry one session until one side ends it."""
        await self._plugged.wait()
        daemon, to_daemon = await asyncio.open_connection(LOOPBACK, self._daemon.port)
        ends = {writer, to_daemon}
        self._ends |= ends
        ways = [
            asyncio.create_task(_carry(*way)) for way in ((reader, to_daemon), (daemon, writer))
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.close()
            with suppress(ConnectionError):
                await end.wait_closed()
        await asyncio.wait(ways)
        self._ends -= ends


async def _carry(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(READ_SIZE):
            sink.write(data)


@asynccontextmanager
async def link(lab: Lab, daemon: Management) -> AsyncIterator[Link]:
    """Lay one to a daemon that listens on a port."""
    assert isinstance(daemon.address, TcpAddress)
    address = TcpAddress(lab.port())
    management = replace(daemon, address=address)
    laid = Link(daemon.address, management)
    async with await asyncio.start_server(laid.serve, LOOPBACK, address.port):
        yield laid
