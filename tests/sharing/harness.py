"""A daemon that is shared: a fake daemon, its monitor, its share, and tools that connect."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from exporter.config.schema import DaemonConfig
from exporter.config.share import ShareConfig, SharedEvent
from exporter.config.target import Target
from exporter.management.commands import Command
from exporter.management.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from exporter.monitor.monitor import Monitor
from exporter.sharing.pool import SharePool
from exporter.sharing.share import Share
from exporter.state.daemon import DaemonState
from tests.fake_daemon import (
    REPLIES,
    TEST_TIMEOUT,
    FakeDaemon,
    FakeSession,
    Replies,
    fake_daemon,
)
from tests.monitor.harness import NOW, NoJitter, running

INTERVAL = 600.0
"""Seconds between polls: none is due in a test, but the first."""

GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"


class Tool:
    """A management client that is connected to a share."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes, in one write where they fit."""
        self.writer.write(data)

    def send_eof(self) -> None:
        """Send the end of the stream."""
        self.writer.write_eof()

    async def read(self, data: bytes) -> None:
        """Read as many bytes as `data` has: they must be equal."""
        async with asyncio.timeout(TEST_TIMEOUT):
            assert await self.reader.readexactly(len(data)) == data

    async def read_line(self) -> bytes:
        """Read a line with its end."""
        async with asyncio.timeout(TEST_TIMEOUT):
            return await self.reader.readuntil(b"\r\n")

    async def ask(self, command: bytes) -> bytes:
        """Send a command; return its reply: one line, or several up to END."""
        self.send(command + b"\n")
        reply = await self.read_line()
        if reply.startswith((b"SUCCESS:", b"ERROR:", b">")):
            return reply
        while not reply.endswith((b"\r\nEND\r\n",)) and reply != b"END\r\n":
            reply += await self.read_line()
        return reply

    async def rest(self) -> bytes:
        """Read all bytes up to the end of the stream."""
        async with asyncio.timeout(TEST_TIMEOUT):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


class SharedDaemon:
    """The daemon's side of the session, the monitor, and the addresses for tools."""

    def __init__(
        self,
        daemon: FakeDaemon,
        session: FakeSession,
        *,
        monitor: Monitor,
        share: Share,
        polled: asyncio.Event,
    ) -> None:
        self._polled = polled
        self.daemon = daemon
        self.session = session
        self.monitor = monitor
        self.share = share

    def commands(self) -> dict[tuple[str, str], int]:
        """Return the counted commands, by name and outcome."""
        return dict(self.monitor.daemon.sharing.commands)

    async def until_open(self) -> None:
        """Wait until a poll has succeeded, and the session is shared."""
        async with asyncio.timeout(TEST_TIMEOUT):
            await self._polled.wait()
        self._polled.clear()

    async def until_waiting(self, count: int) -> None:
        """Wait until tools wait for so many commands."""
        async with asyncio.timeout(TEST_TIMEOUT):
            while len(self.monitor.shared._requests) < count:  # noqa: ASYNC110 -- no event is set
                await asyncio.sleep(0)

    async def until_tools(self, count: int) -> None:
        """Wait until so many tools are connected."""
        async with asyncio.timeout(TEST_TIMEOUT):
            while self.monitor.daemon.sharing.tools != count:  # noqa: ASYNC110 -- no event is set
                await asyncio.sleep(0)

    @contextlib.asynccontextmanager
    async def connect(self, address: Endpoint | None = None) -> AsyncIterator[Tool]:
        """Connect a tool, and read nothing yet."""
        async with connected(address or self.share.addresses[0]) as tool:
            yield tool

    @contextlib.asynccontextmanager
    async def greeted(self) -> AsyncIterator[Tool]:
        """Connect a tool and read the greeting."""
        async with self.connect() as tool:
            await tool.read(GREETING)
            yield tool


@contextlib.asynccontextmanager
async def connected(address: Endpoint) -> AsyncIterator[Tool]:
    """Connect to an address where a share listens."""
    async with asyncio.timeout(TEST_TIMEOUT):
        if isinstance(address, UnixEndpoint):
            reader, writer = await asyncio.open_unix_connection(address.path)
        else:
            assert isinstance(address, TcpEndpoint)
            reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield Tool(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def share_config(
    *addresses: TcpEndpoint | UnixEndpoint,
    events: Sequence[SharedEvent] = (SharedEvent.STATE,),
    max_age: float = INTERVAL,
    max_clients: int = 16,
    password_file: Path | None = None,
) -> ShareConfig:
    """Return the configuration of a share, by default with replies for the whole test."""
    return ShareConfig(
        listen=addresses,
        events=tuple(events),
        max_age=max_age,
        max_clients=max_clients,
        password_file=password_file,
    )


def monitor_of(
    endpoint: Endpoint,
    config: ShareConfig,
    polled: asyncio.Event,
    *,
    deadline: float = TEST_TIMEOUT,
) -> Monitor:
    """Return the monitor of a daemon that is shared; `polled` is set after each poll."""

    async def on_updated(_: DaemonState) -> None:
        polled.set()

    daemon = DaemonConfig(name="office", management=endpoint, timeout=deadline, share=config)
    target = Target(daemon, poll_interval=INTERVAL)
    return Monitor(target, on_updated=on_updated, clock=lambda: NOW, rng=NoJitter())


async def until_listening(share: Share) -> None:
    """Wait until a share listens at each of its addresses."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while any(map(share.lacks, share.addresses)):  # noqa: ASYNC110 -- no event is set
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def shared_daemon(
    path: Path,
    *,
    replies: Replies = REPLIES,
    config: ShareConfig | None = None,
    deadline: float = TEST_TIMEOUT,
) -> AsyncIterator[SharedDaemon]:
    """Share a fake daemon, by default at a Unix socket in `path`; the first poll is done.

    A tool has asked for replies before, so that those of the poll are kept.
    """
    if config is None or not config.listen:
        socket = (UnixEndpoint(str(path / "tools.sock")),)
        config = msgspec.structs.replace(config or share_config(), listen=socket)
    polled = asyncio.Event()
    async with fake_daemon() as daemon:
        monitor = monitor_of(daemon.endpoint, config, polled, deadline=deadline)
        pool = SharePool()
        await pool.apply([monitor])
        share = pool._shares[monitor.target.name]
        assert await monitor.shared.fetch(Command.PID) is None
        async with running(monitor):
            session = await daemon.accept_and_greet()
            await session.reply_to_polls(replies=replies)
            shared = SharedDaemon(daemon, session, monitor=monitor, share=share, polled=polled)
            await shared.until_open()
            await until_listening(share)
            try:
                yield shared
            finally:
                await pool.close()
