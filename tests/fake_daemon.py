"""A fake OpenVPN daemon: the server side of management sessions, over real loopback sockets.

The fake knows no rule of the protocol. The test decides which bytes are sent and when, so the
daemon can stay silent, stop in the middle of a reply, send garbage, or close at any point.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from exporter.management.endpoint import TcpEndpoint, UnixEndpoint

GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info"
PROMPT = b"ENTER PASSWORD:"

TEST_TIMEOUT = 20.0
"""Seconds after which a wait fails; a test that passes never waits this long."""

Replies = Mapping[bytes, Sequence[bytes]]
"""The lines of a reply, by the line of the command."""

VERSION = (
    b"OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [EPOLL]",
    b"Management Version: 5",
    b"END",
)
STATE = b"1795404000,CONNECTED,SUCCESS,10.8.0.1,,,,"
_CLIENT_COLUMNS = (
    b"HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address"
    b"\tBytes Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername"
    b"\tClient ID\tPeer ID\tData Channel Cipher"
)
_ALICE = (
    b"CLIENT_LIST\talice\t192.0.2.7:51820\t10.8.0.2\t\t3005\t3148\t2026-11-23 03:50:00"
    b"\t1795405800\tUNDEF\t0\t0\tAES-256-GCM"
)
_ROUTE_COLUMNS = (
    b"HEADER\tROUTING_TABLE\tVirtual Address\tCommon Name\tReal Address\tLast Ref"
    b"\tLast Ref (time_t)"
)
STATUS_3 = (
    b"TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu",
    b"TIME\t2026-11-23 03:53:03\t1795405983",
    _CLIENT_COLUMNS,
    _ALICE,
    _ROUTE_COLUMNS,
    b"GLOBAL_STATS\tMax bcast/mcast queue length\t0",
    b"GLOBAL_STATS\tdco_enabled\t0",
    b"END",
)
STATUS_1 = (
    b"OpenVPN CLIENT LIST",
    b"Updated,2026-11-23 03:53:03",
    b"Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
    b"alice,192.0.2.7:51820,3005,3148,2026-11-23 03:50:00",
    b"ROUTING TABLE",
    b"Virtual Address,Common Name,Real Address,Last Ref",
    b"10.8.0.2,alice,192.0.2.7:51820,2026-11-23 03:53:02",
    b"GLOBAL STATS",
    b"Max bcast/mcast queue length,0",
    b"END",
)
REPLIES: Replies = {
    b"version": VERSION,
    b"pid": (b"SUCCESS: pid=4711",),
    b"state": (STATE, b"END"),
    b"state all": (STATE, b"END"),
    b"state on": (b"SUCCESS: real-time state notification set to ON",),
    b"status 1": STATUS_1,
    b"status 3": STATUS_3,
    b"load-stats": (b"SUCCESS: nclients=1,bytesin=3005,bytesout=3148",),
    b"hold": (b"SUCCESS: hold=0",),
    b"verb": (b"SUCCESS: verb=3",),
    b"log on": (b"SUCCESS: real-time log notification set to ON",),
    b"log off": (b"SUCCESS: real-time log notification set to OFF",),
    b"log all": (b"END",),
    b"bytecount 0": (b"SUCCESS: bytecount interval changed",),
}
"""The replies of a healthy server with one client."""


class FakeSession:
    """The daemon's side of one management session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.received: list[bytes] = []

    def send_lines(self, *lines: bytes) -> None:
        """Send whole lines."""
        self.send_bytes(b"".join(line + b"\r\n" for line in lines))

    def send_bytes(self, raw: bytes) -> None:
        """Send these bytes, without a line end."""
        self._writer.write(raw)

    async def read_line(self) -> bytes:
        """Return the next line without its end; b"" once the client has closed."""
        async with asyncio.timeout(TEST_TIMEOUT):
            line = await self._reader.readline()
        assert line == b"" or line.endswith(b"\n"), line
        if line:
            self.received.append(line.removesuffix(b"\n"))
        return line.removesuffix(b"\n")

    async def reply(self, *, until: bytes, replies: Replies = REPLIES) -> None:
        """Reply to each command up to the command `until`, which gets no reply.

        `quit` closes the session, as real daemons do.
        """
        while (line := await self.read_line()) != until:
            assert line, f"the client closed before it sent {until!r}"
            if line == b"quit":
                self.close()
            else:
                self.send_lines(*replies[line])

    async def reply_to_polls(self, times: int = 1, *, replies: Replies = REPLIES) -> None:
        """Reply to all commands of this many polls."""
        for _ in range(times):
            await self.reply(until=b"load-stats", replies=replies)
            self.send_lines(*replies[b"load-stats"])
            await self.reply(until=b"status 3", replies=replies)
            self.send_lines(*replies[b"status 3"])

    def close(self) -> None:
        """Close the connection after the bytes sent so far."""
        self._writer.close()

    def reset(self) -> None:
        """Reset the connection (RST), so that the client's next read fails."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._writer.transport.abort()

    async def wait_closed(self) -> None:
        """Read until the client has closed; reply to nothing."""
        while await self.read_line():
            pass


class FakeDaemon:
    """A listening daemon. It accepts every connection at once; the test takes them in order."""

    def __init__(
        self, endpoint: TcpEndpoint | UnixEndpoint, sessions: asyncio.Queue[FakeSession]
    ) -> None:
        self.endpoint = endpoint
        self._sessions = sessions

    async def accept(self) -> FakeSession:
        """Wait for the next client."""
        async with asyncio.timeout(TEST_TIMEOUT):
            return await self._sessions.get()

    async def accept_and_greet(self) -> FakeSession:
        """Wait for the next client and send it the greeting."""
        session = await self.accept()
        session.send_lines(GREETING)
        return session

    @property
    def all_accepted(self) -> bool:
        """Whether the test has accepted every client that connected."""
        return self._sessions.empty()


@contextlib.asynccontextmanager
async def fake_daemon(unix_path: Path | None = None) -> AsyncIterator[FakeDaemon]:
    """Listen on a free loopback port, or on a Unix socket; close every session at the end."""
    sessions: asyncio.Queue[FakeSession] = asyncio.Queue()
    writers: list[asyncio.StreamWriter] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        sessions.put_nowait(FakeSession(reader, writer))

    endpoint: TcpEndpoint | UnixEndpoint
    if unix_path is None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        endpoint = TcpEndpoint(*server.sockets[0].getsockname())
    else:
        server = await asyncio.start_unix_server(connected, str(unix_path))
        endpoint = UnixEndpoint(str(unix_path))
    try:
        yield FakeDaemon(endpoint, sessions)
    finally:
        server.close()
        await _close(writers)


@contextlib.asynccontextmanager
async def connect_fake_daemon(host: str, port: int | None = None) -> AsyncIterator[FakeSession]:
    """Connect to a listening exporter, like a daemon with `--management-client`.

    Without a port, `host` is the path of a Unix socket.
    """
    async with asyncio.timeout(TEST_TIMEOUT):
        if port is None:
            reader, writer = await asyncio.open_unix_connection(host)
        else:
            reader, writer = await asyncio.open_connection(host, port)
    try:
        yield FakeSession(reader, writer)
    finally:
        await _close([writer])


async def _close(writers: Sequence[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        writer.close()  # again: connections may be accepted while others are closed
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def free_port() -> int:
    """Return a loopback port on which nothing listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        return port
