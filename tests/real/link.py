"""A TCP link to a daemon's management port that can be disconnected and reconnected.

While it is disconnected, clients are not refused: they wait until it is reconnected.
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
    """A TCP forwarder; ``management`` is the address for clients."""

    def __init__(self, daemon: TcpAddress, management: Management) -> None:
        self.management = management
        self._daemon = daemon
        self._connected = asyncio.Event()
        self._connected.set()
        self._ends: set[StreamWriter] = set()

    def disconnect(self) -> None:
        """Abort every session on both sides."""
        self._connected.clear()
        for end in self._ends:
            end.transport.abort()

    def reconnect(self) -> None:
        """Forward the waiting clients and all new ones."""
        self._connected.set()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Forward one session until one side ends it."""
        await self._connected.wait()
        daemon, to_daemon = await asyncio.open_connection(LOOPBACK, self._daemon.port)
        ends = {writer, to_daemon}
        self._ends |= ends
        tasks = [
            asyncio.create_task(_forward(source, sink))
            for source, sink in ((reader, to_daemon), (daemon, writer))
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.close()
            with suppress(ConnectionError):
                await end.wait_closed()
        await asyncio.wait(tasks)
        self._ends -= ends


async def _forward(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(READ_SIZE):
            sink.write(data)


@asynccontextmanager
async def link(lab: Lab, daemon: Management) -> AsyncIterator[Link]:
    """Open a link to a daemon that listens on a port."""
    assert isinstance(daemon.address, TcpAddress)
    address = TcpAddress(lab.port())
    management = replace(daemon, address=address)
    opened = Link(daemon.address, management)
    async with await asyncio.start_server(opened.serve, LOOPBACK, address.port):
        yield opened
