"""The other end of a management session: a fake that speaks bytes over real loopback sockets.

It knows no rule of the protocol. The test says when what is said, so it can be silent, stop in
the middle of a reply, talk nonsense or hang up wherever it likes.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from exporter.management.endpoint import TcpEndpoint, UnixEndpoint

GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info"
PROMPT = b"ENTER PASSWORD:"

SAFETY = 20.0
"""Seconds after which a test gives up; no test that passes waits for it."""

Answers = Mapping[bytes, Sequence[bytes]]
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
ANSWERS: Answers = {
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
"""What a healthy server with one client says."""


class Visit:
    """One session, as the daemon sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.heard: list[bytes] = []

    def says(self, *lines: bytes) -> None:
        """Say whole lines."""
        self.sends(b"".join(line + b"\r\n" for line in lines))

    def sends(self, raw: bytes) -> None:
        """Say these bytes and no line end."""
        self._writer.write(raw)

    async def hears(self) -> bytes:
        """Return the next line without its end; b"" once the client has hung up."""
        async with asyncio.timeout(SAFETY):
            line = await self._reader.readline()
        assert line == b"" or line.endswith(b"\n"), line
        if line:
            self.heard.append(line.removesuffix(b"\n"))
        return line.removesuffix(b"\n")

    async def answers(self, *, until: bytes, answers: Answers = ANSWERS) -> None:
        """Answer each command until one comes that is `until`, which stays without an answer.

        `quit` is answered as real daemons do.
        """
        while (line := await self.hears()) != until:
            assert line, f"the client left before it said {until!r}"
            if line == b"quit":
                self.hangs_up()
            else:
                self.says(*answers[line])

    async def polls(self, times: int = 1, *, answers: Answers = ANSWERS) -> None:
        """Answer until so many polls have been answered whole."""
        for _ in range(times):
            await self.answers(until=b"load-stats", answers=answers)
            self.says(*answers[b"load-stats"])
            await self.answers(until=b"status 3", answers=answers)
            self.says(*answers[b"status 3"])

    def hangs_up(self) -> None:
        """Close, after what was said so far."""
        self._writer.close()

    def resets(self) -> None:
        """Close so that the client's next read fails."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._writer.transport.abort()

    async def is_left(self) -> None:
        """Hear, and answer nothing, until the client has hung up."""
        while await self.hears():
            pass


class Peer:
    """Where a daemon listens. It takes everybody in at once; visits come in their order."""

    def __init__(self, endpoint: TcpEndpoint | UnixEndpoint, visits: asyncio.Queue[Visit]) -> None:
        self.endpoint = endpoint
        self._visits = visits

    async def visit(self) -> Visit:
        """Wait for the next client."""
        async with asyncio.timeout(SAFETY):
            return await self._visits.get()

    async def greeted(self) -> Visit:
        """Wait for the next client and greet it."""
        visit = await self.visit()
        visit.says(GREETING)
        return visit

    @property
    def nobody_waits(self) -> bool:
        """Whether every client that came was let in by the test."""
        return self._visits.empty()


@contextlib.asynccontextmanager
async def peer(unix_path: Path | None = None) -> AsyncIterator[Peer]:
    """Listen at a free port of loopback, or at a Unix socket, and hang up in the end."""
    visits: asyncio.Queue[Visit] = asyncio.Queue()
    writers: list[asyncio.StreamWriter] = []

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        visits.put_nowait(Visit(reader, writer))

    endpoint: TcpEndpoint | UnixEndpoint
    if unix_path is None:
        server = await asyncio.start_server(take, "127.0.0.1", 0)
        endpoint = TcpEndpoint(*server.sockets[0].getsockname())
    else:
        server = await asyncio.start_unix_server(take, str(unix_path))
        endpoint = UnixEndpoint(str(unix_path))
    try:
        yield Peer(endpoint, visits)
    finally:
        server.close()
        await _close(writers)


@contextlib.asynccontextmanager
async def dial_in(host: str, port: int) -> AsyncIterator[Visit]:
    """Be a daemon of `--management-client`: connect to whoever listens."""
    async with asyncio.timeout(SAFETY):
        reader, writer = await asyncio.open_connection(host, port)
    try:
        yield Visit(reader, writer)
    finally:
        await _close([writer])


async def _close(writers: Sequence[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        writer.close()  # who was let in while others were closed
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def free_port() -> int:
    """Return a port of loopback where nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        return port
