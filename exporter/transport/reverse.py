"""Waits for a daemon to connect (`--management-client`).

Such a daemon connects once, at its start, and exits if that fails. So the socket stays open all
the time, and connections are accepted while earlier peers log in. A peer becomes the daemon when
it has sent the greeting; the management password is sent to those that may connect only.
"""

import asyncio
import collections
import contextlib
import socket
from collections.abc import Awaitable, Callable

import msgspec

from exporter import descriptors
from exporter.aio import Wakeup, cancel_and_wait, run_in_daemon_thread
from exporter.management.endpoint import ListenEndpoint, ListenUnixEndpoint
from exporter.management.errors import (
    EndpointNotFound,
    EndpointPermissionError,
    ManagementError,
    ReplyTimeout,
    SessionClosed,
)
from exporter.management.protocol import PASSWORD_PROMPT, ManagementProtocol
from exporter.secret import Secret
from exporter.transport.handshake import Handshake
from exporter.transport.listening import (
    Access,
    accept,
    close_listener,
    listen_error,
    open_listener,
    set_access,
)
from exporter.transport.stream import Stream

MAX_LOGGING_IN = 16
"""Peers that log in at once; a further one replaces the oldest."""

MAX_WAITING = 4
"""Peers that have logged in and wait for the end of the session; further ones are not accepted."""

_ACCEPT_RETRY_DELAY = 1.0
"""Seconds until the next attempt after accept failed for lack of resources."""


async def _no_password() -> Secret | None:
    return None


class ReverseOptions(msgspec.Struct, frozen=True):
    """How peers are received."""

    timeout: float
    """Seconds for a login, and for `connect`."""
    access: Access = Access()
    read_password: Callable[[], Awaitable[Secret | None]] = _no_password
    """Returns the management password, for a peer that asks for it; raises ManagementError."""


class ReverseConnector:
    """Accepts daemons, one for each call of `connect`."""

    def __init__(
        self, endpoint: ListenEndpoint | ListenUnixEndpoint, options: ReverseOptions
    ) -> None:
        self.endpoint = endpoint
        self._options = options
        self._listener: socket.socket | None = None
        self._group = options.access.group
        self._accepting: asyncio.Task[None] | None = None
        self._logging_in: dict[asyncio.Task[None], None] = {}
        self._waiting: collections.deque[Stream] = collections.deque()
        self._arrived = Wakeup()
        self._taken = asyncio.Event()
        self._rejection: ManagementError | None = None

    @property
    def is_listening(self) -> bool:
        """Whether daemons can connect now."""
        return self._listener is not None

    @property
    def has_waiting_peer(self) -> bool:
        """Whether another daemon has logged in and waits for its session."""
        return bool(self._waiting)

    def reconfigure(self, options: ReverseOptions) -> None:
        """Apply other options to the next peers; the socket stays open."""
        self._options = options

    async def connect(self) -> Stream:
        """Return the connection of the next daemon, at its first byte.

        Raises:
            ManagementError: no daemon has logged in within the timeout; or the socket can't be
                opened.
        """
        try:
            await self._listen()
        except OSError as error:
            raise listen_error(error, str(self.endpoint)) from error
        if not self._waiting:
            self._arrived.clear()
            await self._arrived.wait(self._options.timeout)
        rejection, self._rejection = self._rejection, None
        if not self._waiting:
            raise rejection or self._not_found()
        self._taken.set()
        return self._waiting.popleft()

    async def _listen(self) -> None:
        """Open the socket, or apply another group to it."""
        endpoint, group = self.endpoint, self._options.access.group
        if self._listener is None:
            self._listener = await open_listener(endpoint, group)
            self._accepting = asyncio.create_task(self._accept_peers(self._listener))
        elif isinstance(endpoint, ListenUnixEndpoint) and group != self._group:
            await run_in_daemon_thread(lambda: set_access(endpoint.path, group))
        self._group = group

    def _not_found(self) -> ManagementError:
        endpoint = self.endpoint
        address = (
            f"{endpoint.host} {endpoint.port}"
            if isinstance(endpoint, ListenEndpoint)
            else f"{endpoint.path} unix"
        )
        return EndpointNotFound(
            f"{endpoint}: no daemon has connected; start it after this exporter, with "
            f"'management {address}' and 'management-client'"
        )

    async def _accept_peers(self, listener: socket.socket) -> None:
        while True:
            try:
                # A daemon exits if its connection is closed: without a descriptor it waits.
                connection = await accept(listener, descriptors.check_available)
            except OSError as error:
                self._rejection = listen_error(error, str(self.endpoint))
                await asyncio.sleep(_ACCEPT_RETRY_DELAY)
                continue
            if len(self._logging_in) >= MAX_LOGGING_IN:
                next(iter(self._logging_in)).cancel()
            task = asyncio.create_task(self._receive(connection))
            self._logging_in[task] = None
            task.add_done_callback(self._logging_in.pop)
            await asyncio.sleep(0)  # once it has started, it closes its connection if cancelled
            while len(self._waiting) >= MAX_WAITING:
                self._taken.clear()
                await self._taken.wait()

    async def _receive(self, connection: socket.socket) -> None:
        """Let a peer log in; close the connection of one that does not."""
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(connection.close)
            try:
                if refusal := self._options.access.refusal(connection):
                    raise EndpointPermissionError(f"{self.endpoint}: {refusal}")
                _, stream = await asyncio.get_running_loop().create_connection(
                    lambda: Stream(str(self.endpoint)), sock=connection
                )
                cleanup.pop_all()
                cleanup.callback(stream.close)
                await self._log_in(stream)
            except ManagementError as error:
                self._rejection = error
            except OSError as error:  # reset
                text = f"{self.endpoint}: a peer closed the connection before its greeting"
                self._rejection = SessionClosed(f"{text}: {error.strerror or error}")
            else:
                cleanup.pop_all()
                self._waiting.append(stream)
                self._arrived.set()

    async def _log_in(self, stream: Stream) -> None:
        """Let a peer log in; its bytes up to the greeting, without the prompt, are read again."""
        protocol = ManagementProtocol()
        received = bytearray()
        handshake: Handshake | None = None
        timeout = self._options.timeout
        try:
            async with asyncio.timeout(timeout):
                while not protocol.greeted:
                    data = await stream.read()
                    if handshake is None:
                        handshake = await self._handshake(protocol, data)
                    _, answer = handshake.feed(data)
                    stream.write(answer)
                    received += data
                    if answer:
                        received = received.replace(PASSWORD_PROMPT, b"", 1)
        except TimeoutError as error:
            text = f"a peer connected, but sent no greeting within {timeout:g} s"
            raise ReplyTimeout(f"{self.endpoint}: {text}") from error
        stream.unread(bytes(received))

    async def _handshake(self, protocol: ManagementProtocol, data: bytes) -> Handshake:
        """Return the handshake with a peer that begins with `data`."""
        if not data:
            text = "a peer closed the connection before its greeting"
            raise SessionClosed(f"{self.endpoint}: {text}")
        prompts = data[:1] == PASSWORD_PROMPT[:1]
        password = await self._options.read_password() if prompts else None
        return Handshake(protocol, password, str(self.endpoint))

    async def close(self) -> None:
        """Stop listening, and close the connections that wait."""
        if self._accepting is not None:
            await cancel_and_wait([self._accepting])
        await asyncio.sleep(0)  # a login that has started closes its connection
        await cancel_and_wait(self._logging_in)
        while self._waiting:
            self._waiting.popleft().close()
        listener, self._listener = self._listener, None
        if listener is not None:
            await close_listener(listener)
