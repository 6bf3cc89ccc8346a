"""A TCP proxy between the exporter and a daemon that injects faults into their sessions.

Armed injections are applied in order, each at its position in its direction. An injection whose
position a session did not reach keeps counting in the next session. The proxy knows lines but not
their meaning.
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
from tests.faults.faults import Direction, DisconnectKind, Fault, Injection
from tests.faults.pipe import Pipe
from tests.faults.trigger import Trigger

_NO_LINGER = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on `endpoint`, forwards to a daemon, and injects the armed faults."""

    def __init__(self, daemon: TcpEndpoint) -> None:
        self.endpoint = TcpEndpoint("127.0.0.1", 0)
        self.injected: list[Injection] = []
        self._daemon = daemon
        self._server: asyncio.Server | None = None
        self._armed: deque[Injection] = deque()
        self._trigger: Trigger | None = None
        self._changed = asyncio.Event()
        self._sessions: dict[asyncio.Task[None], ProxySession] = {}

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, daemon: TcpEndpoint) -> AsyncIterator["Proxy"]:
        """Forward to a daemon until the block ends."""
        proxy = cls(daemon)
        await proxy.listen()
        try:
            yield proxy
        finally:
            proxy.stop_listening()
            await proxy._close_sessions()

    async def listen(self) -> None:
        """Accept clients, on the same port each time."""
        host, port = self.endpoint.host, self.endpoint.port
        self._server = await asyncio.start_server(self._accept, host, port)
        self.endpoint = TcpEndpoint(*self._server.sockets[0].getsockname())

    def stop_listening(self) -> None:
        """Refuse new clients; existing sessions continue."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def arm(self, *injections: Injection) -> None:
        """Arm injections; they are applied in order."""
        self._armed.extend(injections)
        self._arm_next()

    async def wait_injected(self) -> None:
        """Wait until every armed injection has been applied."""
        async with asyncio.timeout(TEST_TIMEOUT):
            while self._trigger is not None:
                self._changed.clear()
                await self._changed.wait()

    def release(self) -> None:
        """End all stalls: send the held bytes."""
        for session in self._sessions.values():
            session.release()

    def next_trigger(self, direction: Direction) -> Trigger | None:
        """Return the trigger of the next injection if it applies to this direction."""
        trigger = self._trigger
        return trigger if trigger is not None and trigger.injection.direction is direction else None

    def fire(self) -> Fault:
        """Mark the next injection as injected and return its fault."""
        injection = self._armed.popleft()
        self.injected.append(injection)
        self._trigger = None
        self._arm_next()
        self._changed.set()
        return injection.fault

    def _arm_next(self) -> None:
        if self._trigger is None and self._armed:
            self._trigger = Trigger(self._armed[0])

    def _accept(self, client: StreamReader, to_client: StreamWriter) -> None:
        session = ProxySession(self, client, to_client)
        task = asyncio.create_task(session.run(self._daemon))
        self._sessions[task] = session
        task.add_done_callback(self._sessions.pop)

    async def _close_sessions(self) -> None:
        sessions = dict(self._sessions)
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        for session in sessions.values():
            await session.close()


class ProxySession:
    """One session through the proxy."""

    def __init__(self, proxy: Proxy, client: StreamReader, to_client: StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._to_client = to_client
        self._writers = [to_client]
        self._pipes: list[Pipe] = []

    async def run(self, daemon: TcpEndpoint) -> None:
        """Connect to the daemon and forward both directions until both have ended."""
        with contextlib.suppress(OSError):  # the daemon refuses: close the client, too
            source, to_daemon = await asyncio.open_connection(daemon.host, daemon.port)
            self._writers.append(to_daemon)
            self._pipes = [
                Pipe(self._proxy, Direction.COMMANDS, self._client, to_daemon),
                Pipe(self._proxy, Direction.REPLIES, source, self._to_client),
            ]
            await self._forward()
        await self.close()

    async def close(self) -> None:
        """Close both sides."""
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def release(self) -> None:
        """End all stalls: send the held bytes."""
        for pipe in self._pipes:
            pipe.release()

    async def _forward(self) -> None:
        running = {asyncio.create_task(pipe.run()) for pipe in self._pipes}
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                kinds = {pipe.result() for pipe in done}
                if DisconnectKind.RESET in kinds:
                    self._reset()
                if kinds & {DisconnectKind.RESET, DisconnectKind.CLOSE}:
                    return
        finally:
            for pipe in running:
                pipe.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _reset(self) -> None:
        """Reset the connection (RST), so that the client's next read fails."""
        if self._to_client.is_closing():
            return
        connection: socket.socket = self._to_client.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._to_client.transport.abort()
