"""Lets connections in, up to a number, and starts TLS where the rules want it.

asyncio's own servers fix their TLS context when they begin to listen, and don't count.
"""

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from exporter.log import Level, event
from exporter.web.auth import PolicyFile
from exporter.web.listener.connection import HttpConnection, track_requests
from exporter.web.listener.http import request_handler
from exporter.web.listener.sockets import BoundAddress

TLS_HANDSHAKE_TIMEOUT = 10.0
"""Seconds for a TLS handshake."""

TLS_CLOSE_TIMEOUT = 10.0
"""Seconds for a client to take what is left and agree to the end of TLS."""

SHUTDOWN_TIMEOUT = 0.5
"""Seconds that requests under way get when the exporter ends."""

MAX_CONNECTIONS = 4096
"""Connections at once, unless half of the files that may be open are fewer."""

_RETRY = 1.0
"""Seconds until the next attempt, after the machine had nothing left for a connection."""

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def serve(
    places: Sequence[BoundAddress], application: web.Application, rules: PolicyFile
) -> AsyncIterator[None]:
    """Serve the application at these places; their sockets are closed with the block."""
    track_requests(application)
    runner = web.AppRunner(application, shutdown_timeout=SHUTDOWN_TIMEOUT)
    await runner.setup()
    assert runner.server is not None  # noqa: S101 -- setup makes it
    door = _Door(runner.server, rules, most=_most_guests())
    try:
        door.open(places)
        yield
    finally:
        await door.close()
        await runner.cleanup()
        await door.dismiss_all()


class _Door:
    def __init__(self, server: web.Server, rules: PolicyFile, *, most: int) -> None:
        self._server = server
        self._rules = rules
        self._most = most
        self._guests: set[HttpConnection] = set()
        self._arriving: dict[asyncio.Task[None], None] = {}
        self._sockets: list[socket.socket] = []
        self._listening: list[asyncio.Task[None]] = []

    def open(self, places: Sequence[BoundAddress]) -> None:
        self._sockets = [listening for place in places for listening in place.sockets]
        self._listening = [
            asyncio.create_task(self._listen(listening)) for listening in self._sockets
        ]

    async def close(self) -> None:
        """Let nobody in any more."""
        await _cancel(self._listening)
        await _cancel(list(self._arriving))
        for listening in self._sockets:
            listening.close()

    async def dismiss_all(self) -> None:
        """Hang up on whoever is still there."""
        for guest in list(self._guests):
            guest.dismiss()
        # TCP tells TLS, and TLS tells the guest.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _listen(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listening.settimeout(0)
        is_short = False
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError as error:
                if not is_short:
                    event(_log, Level.WARN, "cannot take a connection", error=error)
                is_short = True
                await asyncio.sleep(_RETRY)
            else:
                is_short = False
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        """Begin with a connection, if there is a place or somebody can make one."""
        if len(self._guests) + len(self._arriving) >= self._most and not self._make_room():
            connection.close()
            return
        task = asyncio.create_task(self._welcome(connection))
        self._arriving[task] = None
        task.add_done_callback(self._arriving.pop)

    def _make_room(self) -> bool:
        """Send away who has been waited for longest, for a request or for a handshake."""
        idle = [guest for guest in self._guests if guest.idle_since is not None]
        if idle:
            min(idle, key=lambda guest: guest.idle_since or 0.0).dismiss()
        elif self._arriving:
            next(iter(self._arriving)).cancel()
        else:
            return False
        return True

    async def _welcome(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as ours:
            ours.enter_context(connection)
            await self._rules.refresh()
            ours.pop_all()
        policy = self._rules.policy
        guest = HttpConnection(
            request_handler(self._server), names=policy.client_names, present=self._guests
        )
        handshake = (
            {}
            if policy.tls is None
            else {
                "ssl_handshake_timeout": TLS_HANDSHAKE_TIMEOUT,
                "ssl_shutdown_timeout": TLS_CLOSE_TIMEOUT,
            }
        )
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: guest, connection, ssl=policy.tls, **handshake
            )
        except OSError as error:
            # Plain HTTP, no certificate, a scan: told to who asks for everything.
            event(_log, Level.DEBUG, "no TLS with a client", error=error)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _most_guests() -> int:
    """Half of what may be open: the rest belongs to the daemons."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        MAX_CONNECTIONS
        if soft == resource.RLIM_INFINITY
        else max(1, min(soft // 2, MAX_CONNECTIONS))
    )
