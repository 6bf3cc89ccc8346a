"""Accepts connections up to a limit, with TLS where the policy has it.

asyncio's own servers fix their TLS context when they start to listen, and have no limit.
"""

import asyncio
import contextlib
import functools
import logging
import resource
import socket
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from exporter.aio import cancel_and_wait
from exporter.log import Level, event
from exporter.web.auth import PolicyFile
from exporter.web.listener.connection import HttpConnection, request_handler, track_requests
from exporter.web.listener.sockets import BoundAddress

TLS_HANDSHAKE_TIMEOUT = 10.0
"""Seconds for a TLS handshake."""

TLS_CLOSE_TIMEOUT = 10.0
"""Seconds for a client to read the rest of a response and to answer TLS's close_notify."""

SHUTDOWN_TIMEOUT = 0.5
"""Seconds for requests in progress when the exporter ends."""

MAX_CONNECTIONS = 4096
"""Most connections at once; fewer where half of the open file limit is less."""

_ACCEPT_RETRY_DELAY = 1.0
"""Seconds until the next attempt after accept failed for lack of resources."""

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def serve(
    addresses: Sequence[BoundAddress], application: web.Application, policy: PolicyFile
) -> AsyncIterator[None]:
    """Serve the application at these addresses; their sockets are closed with the block."""
    track_requests(application)
    runner = web.AppRunner(application, shutdown_timeout=SHUTDOWN_TIMEOUT)
    await runner.setup()
    assert runner.server is not None  # noqa: S101 -- setup makes it
    listener = _Listener(runner.server, policy, max_connections=_connection_limit())
    try:
        listener.start(addresses)
        yield
    finally:
        await listener.stop()
        await runner.cleanup()
        await listener.abort_all()


class _Listener:
    def __init__(self, server: web.Server, policy: PolicyFile, *, max_connections: int) -> None:
        self._server = server
        self._policy = policy
        self._max_connections = max_connections
        self._connections: set[HttpConnection] = set()
        self._handshaking: dict[asyncio.Task[None], None] = {}
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []

    def start(self, addresses: Sequence[BoundAddress]) -> None:
        self._sockets = [listening for address in addresses for listening in address.sockets]
        self._accepting = [
            asyncio.create_task(self._accept_connections(listening)) for listening in self._sockets
        ]

    async def stop(self) -> None:
        """Accept no more connections, and end handshakes in progress."""
        await cancel_and_wait(self._accepting)
        await cancel_and_wait(self._handshaking)
        for listening in self._sockets:
            listening.close()

    async def abort_all(self) -> None:
        """Abort the connections that are left."""
        for connection in list(self._connections):
            connection.abort()
        # `connection_lost` reaches the TLS layer first, and our protocol one loop pass later.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _accept_connections(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listening.settimeout(0)
        accept_failed = False
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError as error:
                if not accept_failed:
                    event(_log, Level.WARN, "accept failed", error=error)
                accept_failed = True
                # The connection that is closed gives back its descriptor in the next pass.
                await asyncio.sleep(0.0 if self._evict_idle() else _ACCEPT_RETRY_DELAY)
            else:
                accept_failed = False
                self._admit(accepted)
                await asyncio.sleep(0)  # a handshake that has started closes it if cancelled

    def _admit(self, accepted: socket.socket) -> None:
        """Open a connection; at the limit, only if another one can be closed."""
        open_connections = len(self._connections) + len(self._handshaking)
        if open_connections >= self._max_connections and not self._evict_idle():
            accepted.close()
            return
        task = asyncio.create_task(self._handshake(accepted))
        self._handshaking[task] = None
        task.add_done_callback(self._handshaking.pop)

    def _evict_idle(self) -> bool:
        """Close the longest-idle connection, else the oldest pending handshake."""
        idle = [each for each in self._connections if each.idle_since is not None]
        if idle:
            min(idle, key=lambda connection: connection.idle_since or 0.0).abort()
        elif self._handshaking:
            next(iter(self._handshaking)).cancel()
        else:
            return False
        return True

    async def _handshake(self, accepted: socket.socket) -> None:
        with contextlib.ExitStack() as cleanup:
            cleanup.enter_context(accepted)
            await self._policy.refresh()
            cleanup.pop_all()
        policy = self._policy.current
        connect = functools.partial(
            HttpConnection,
            request_handler(self._server),
            allowed_sans=policy.allowed_sans,
            connections=self._connections,
        )
        timeouts = (
            {}
            if policy.tls is None
            else {
                "ssl_handshake_timeout": TLS_HANDSHAKE_TIMEOUT,
                "ssl_shutdown_timeout": TLS_CLOSE_TIMEOUT,
            }
        )
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                connect, accepted, ssl=policy.tls, **timeouts
            )
        except OSError as error:
            # Plain HTTP, a missing certificate, a port scan: no fault of the exporter's.
            event(_log, Level.DEBUG, "TLS handshake failed", error=error)


def _connection_limit() -> int:
    """Return half of the open file limit at most: the rest is for the daemons."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        MAX_CONNECTIONS
        if soft == resource.RLIM_INFINITY
        else max(1, min(soft // 2, MAX_CONNECTIONS))
    )
