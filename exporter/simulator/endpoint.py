"""The socket of a simulated daemon: one client at a time, the others wait unheard."""

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

from exporter.simulator.daemon import Daemon
from exporter.simulator.session import Session

BACKLOG = 1
"""As OpenVPN's: the kernel holds a second and a third client, and lets further ones hang."""


class _Connection(asyncio.Protocol):
    """The client that holds the slot."""

    def __init__(self, endpoint: "Endpoint") -> None:
        self.done = asyncio.Event()
        self._endpoint = endpoint
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._session = self._endpoint.open_session()
        self.flush()

    def data_received(self, data: bytes) -> None:
        self._session.receive(data)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._session.detach()
        self._endpoint.hung_up()  # before the socket is closed, so that nobody gets in between
        self.done.set()

    def pause_writing(self) -> None:
        # A real daemon reads no command while output is pending.
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def wake(self) -> None:
        """Let the daemon say what has become due."""
        self._session.advance()
        self.flush()

    def flush(self) -> None:
        self._transport.write(self._session.output())
        self._stop_timer()
        if self._session.closed:
            self._transport.close()
        elif (seconds := self._endpoint.seconds_until_due()) < math.inf:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, seconds), self.wake)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Endpoint:
    """A listening management socket in front of a daemon."""

    def __init__(
        self,
        daemon: Daemon,
        *,
        clock: Callable[[], float],
        password: str | None = None,
        unix_path: Path | None = None,
    ) -> None:
        """Listen at a free port of loopback, or at a Unix socket; serve nobody yet."""
        self._daemon = daemon
        self._clock = clock
        self._password = password
        self._unix_path = unix_path
        self._connection: _Connection | None = None
        self._socket = _listen(unix_path)
        self.address = _address(self._socket)
        """Where the exporter finds the daemon: `127.0.0.1:43211` or `unix:/path`."""

    def wake(self) -> None:
        """Look at the clock: for tests whose clock doesn't go by itself."""
        if self._connection is not None:
            self._connection.wake()
        else:
            self._daemon.advance(self._clock())

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve one client after the other; on leaving, hang up and take the socket away."""
        task = asyncio.create_task(self._serve())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self._close()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._daemon.exited:
            client, _ = await loop.sock_accept(self._socket)
            await self._serve_client(client)

    async def _serve_client(self, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        peer = self._peer_name(client)
        self._daemon.advance(self._clock())
        self._daemon.log(3, "", f"MANAGEMENT: Client connected from {peer}")
        transport, connection = await loop.connect_accepted_socket(
            lambda: _Connection(self), client
        )
        self._connection = connection
        try:
            await connection.done.wait()
        finally:
            transport.abort()
            self._daemon.log(3, "", "MANAGEMENT: Client disconnected")

    def _peer_name(self, client: socket.socket) -> str:
        if self._unix_path is not None:
            return str(self._unix_path)
        host, port = client.getpeername()
        return f"[AF_INET]{host}:{port}"

    def open_session(self) -> Session:
        """Begin a session with the client that has just got the slot."""
        return Session(self._daemon, clock=self._clock, password=self._password)

    def seconds_until_due(self) -> float:
        """Return how long nothing will happen by itself."""
        return self._daemon.due - self._clock()

    def hung_up(self) -> None:
        """Take note that the slot is free; a daemon that has exited listens no more."""
        self._connection = None
        if self._daemon.exited:
            self._close()

    def _close(self) -> None:
        self._socket.close()
        if self._unix_path is not None:
            self._unix_path.unlink(missing_ok=True)


def _address(listener: socket.socket) -> str:
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return f"unix:{name}"
    host, port = name
    return f"{host}:{port}"


def _listen(unix_path: Path | None) -> socket.socket:
    if unix_path is None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
    else:
        unix_path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(unix_path))
    listener.settimeout(0)
    listener.listen(BACKLOG)
    return listener
