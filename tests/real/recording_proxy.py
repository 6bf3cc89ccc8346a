"""A proxy before a daemon's management port that records both sides and can hold replies."""

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
    """``sent`` and ``received`` are all bytes of the client and of the daemon, also held ones."""

    def __init__(self, daemon: TcpAddress, management: Management) -> None:
        self.management = management
        self.sent = b""
        self.received = b""
        self._daemon = daemon
        self._client: StreamWriter | None = None
        self._held: bytearray | None = None
        self._hold_after: bytes | None = None
        self._refusing = False
        self._changed = asyncio.Condition()

    @property
    def held(self) -> bytes:
        """The bytes that are held."""
        return bytes(self._held or b"")

    def hold_from(self, command: bytes) -> None:
        """Hold all bytes of the daemon from the next time the client sends ``command``."""
        self._hold_after = command

    def release(self) -> None:
        """Send the held bytes in one piece and hold nothing more."""
        assert self._client is not None
        assert self._held is not None
        self._client.write(self._held)
        self._held = self._hold_after = None

    def refuse(self) -> None:
        """End the session, and refuse others until ``accept``."""
        self._refusing = True
        if self._client is not None:
            self._client.close()

    def accept(self) -> None:
        """Accept sessions again."""
        self._refusing = False

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; it is checked after each read."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(condition)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Forward one session until one side ends it."""
        self._client = writer
        if self._refusing:
            writer.close()
            return
        daemon, to_daemon = await asyncio.open_connection(LOOPBACK, self._daemon.port)
        directions = [
            asyncio.create_task(self._forward_commands(reader, to_daemon)),
            asyncio.create_task(self._forward_replies(daemon, writer)),
        ]
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for end in (to_daemon, writer):
            end.close()
            with suppress(ConnectionError):
                await end.wait_closed()
        await asyncio.wait(directions)

    async def _forward_commands(self, client: StreamReader, daemon: StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await client.read(READ_SIZE):
                self.sent += data
                if self._hold_after and data.endswith(self._hold_after):
                    self._held = bytearray()
                daemon.write(data)
                await self._notify()

    async def _forward_replies(self, daemon: StreamReader, client: StreamWriter) -> None:
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
    """Run a proxy before a daemon that listens on a port; clients use its ``management``."""
    assert isinstance(daemon.address, TcpAddress)
    address = TcpAddress(lab.port())
    management = replace(daemon, address=address)
    proxy = RecordingProxy(daemon.address, management)
    async with await asyncio.start_server(proxy.serve, LOOPBACK, address.port):
        yield proxy
