"""A TCP proxy between the exporter and a daemon that does to their sessions what it is told.

Armed strikes happen one after the other, each at its place in its direction; one that a session
did not come to goes on counting in the next. It knows lines, and nothing of what they say.
"""

import asyncio
import contextlib
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections import deque
from collections.abc import AsyncIterator

from exporter.management.endpoint import TcpEndpoint
from tests.fake_daemon import TEST_TIMEOUT
from tests.faults.aim import Aim
from tests.faults.faults import Fault, Manner, Strike, Way
from tests.faults.lane import Lane

_NO_LINGER = struct.pack("ii", 1, 0)


class Proxy:
    """Listens at `endpoint` and passes everything on to a daemon, strikes apart."""

    def __init__(self, daemon: TcpEndpoint) -> None:
        self.endpoint = TcpEndpoint("127.0.0.1", 0)
        self.struck: list[Strike] = []
        self._daemon = daemon
        self._server: asyncio.Server | None = None
        self._armed: deque[Strike] = deque()
        self._aim: Aim | None = None
        self._news = asyncio.Event()
        self._links: dict[asyncio.Task[None], Link] = {}

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, daemon: TcpEndpoint) -> AsyncIterator["Proxy"]:
        """Stand before a daemon until the block is left."""
        proxy = cls(daemon)
        await proxy.opens()
        try:
            yield proxy
        finally:
            proxy.closes()
            await proxy._hang_up()

    async def opens(self) -> None:
        """Let clients in, at the same port each time."""
        host, port = self.endpoint.host, self.endpoint.port
        self._server = await asyncio.start_server(self._take, host, port)
        self.endpoint = TcpEndpoint(*self._server.sockets[0].getsockname())

    def closes(self) -> None:
        """Refuse new clients; whoever is in stays."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def arm(self, *strikes: Strike) -> None:
        """Let these happen, one after the other."""
        self._armed.extend(strikes)
        self._take_aim()

    async def has_struck(self) -> None:
        """Wait until all that was armed has happened."""
        async with asyncio.timeout(TEST_TIMEOUT):
            while self._aim is not None:
                self._news.clear()
                await self._news.wait()

    def releases(self) -> None:
        """Let everything pass that a stall keeps back."""
        for link in self._links.values():
            link.releases()

    def aims_at(self, way: Way) -> Aim | None:
        """Return the strike that is next, if it concerns this direction."""
        return self._aim if self._aim is not None and self._aim.strike.way is way else None

    def hits(self) -> Fault:
        """Note that this strike happens now; return what it does."""
        strike = self._armed.popleft()
        self.struck.append(strike)
        self._aim = None
        self._take_aim()
        self._news.set()
        return strike.fault

    def _take_aim(self) -> None:
        if self._aim is None and self._armed:
            self._aim = Aim(self._armed[0])

    def _take(self, client: StreamReader, to_client: StreamWriter) -> None:
        link = Link(self, client, to_client)
        task = asyncio.create_task(link.run(self._daemon))
        self._links[task] = link
        task.add_done_callback(self._links.pop)

    async def _hang_up(self) -> None:
        links = dict(self._links)
        for task in links:
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)
        for link in links.values():
            await link.close()


class Link:
    """One session through the proxy."""

    def __init__(self, proxy: Proxy, client: StreamReader, to_client: StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._to_client = to_client
        self._writers = [to_client]
        self._lanes: list[Lane] = []

    async def run(self, daemon: TcpEndpoint) -> None:
        """Connect to the daemon, and pass on what both say until both have ended."""
        with contextlib.suppress(OSError):  # nobody listens: as its daemon, so the proxy
            source, to_daemon = await asyncio.open_connection(daemon.host, daemon.port)
            self._writers.append(to_daemon)
            self._lanes = [
                Lane(self._proxy, Way.COMMANDS, self._client, to_daemon),
                Lane(self._proxy, Way.ANSWERS, source, self._to_client),
            ]
            await self._pass_on()
        await self.close()

    async def close(self) -> None:
        """Hang up to both sides."""
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def releases(self) -> None:
        """Let everything pass that is kept back."""
        for lane in self._lanes:
            lane.releases()

    async def _pass_on(self) -> None:
        running = {asyncio.create_task(lane.run()) for lane in self._lanes}
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                manners = {lane.result() for lane in done}
                if Manner.RESET in manners:
                    self._reset()
                if manners & {Manner.RESET, Manner.CLOSE}:
                    return
        finally:
            for lane in running:
                lane.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _reset(self) -> None:
        """Hang up so that the client's next read fails."""
        if self._to_client.is_closing():
            return
        connection: socket.socket = self._to_client.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._to_client.transport.abort()
