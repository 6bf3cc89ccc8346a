"""A relay before a daemon's management port: it notes what is said, and can hold answers back."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from tests.real.lab import Lab
from tests.real.management import LOOPBACK, Management, TcpAddress
from tests.real.waiting import DEADLINE

READ_SIZE = 65536


class RecordingProxy:
    """``said`` and ``answered`` are all bytes of either side so far, those held back included."""

    def __init__(self, daemon: TcpAddress, management: Management) -> None:
        self.management = management
        self.sent = b""
        self.received = b""
        self._daemon = daemon
        self._client: StreamWriter | None = None
        self._held: bytearray | None = None
        self._last_passed: bytes | None = None
        self._changed = asyncio.Condition()

    def hold_from(self, command: bytes) -> None:
        """Keep all that the daemon says from the moment that it is next told ``command``."""
        self._last_passed = command

    def release(self) -> None:
        """Let all of it go in one piece, and no longer keep anything."""
        assert self._client is not None
        assert self._held is not None
        self._client.write(self._held)
        self._held = self._last_passed = None

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; it is looked at whenever anything was said."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(condition)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Relay one session until one side ends it."""
        self._client = writer
        daemon, to_daemon = await asyncio.open_connection(LOOPBACK, self._daemon.port)
        directions = [
            asyncio.create_task(self._forth(reader, to_daemon)),
            asyncio.create_task(self._back(daemon, writer)),
        ]
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for end in (to_daemon, writer):
            end.close()
            with suppress(ConnectionError):
                await end.wait_closed()
        await asyncio.wait(directions)

    async def _forth(self, client: StreamReader, daemon: StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await client.read(READ_SIZE):
                self.sent += data
                if self._last_passed and data.endswith(self._last_passed):
                    self._held = bytearray()
                daemon.write(data)
                await self._notify()

    async def _back(self, daemon: StreamReader, client: StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await daemon.read(READ_SIZE):
                self.received += data
                if self._held is None:
                    client.write(data)
                else:
                    self._held += data
                await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def recording_proxy(lab: Lab, daemon: Management) -> AsyncIterator[RecordingProxy]:
    """Relay to a daemon that listens on a port; the relay's ``management`` is where to go."""
    assert isinstance(daemon.address, TcpAddress)
    address = TcpAddress(lab.port())
    management = replace(daemon, address=address)
    proxy = RecordingProxy(daemon.address, management)
    async with await asyncio.start_server(proxy.serve, LOOPBACK, address.port):
        yield proxy
