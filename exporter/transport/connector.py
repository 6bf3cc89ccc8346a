"""Connects to a management interface, or returns the reason why that fails.

No connection is made as a mere test: each one takes the daemon's single management slot.
"""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from typing import NamedTuple, Protocol

from exporter import descriptors
from exporter.aio import SingleFlight
from exporter.management.endpoint import (
    Endpoint,
    ListenEndpoint,
    TcpEndpoint,
    UnixEndpoint,
    is_loopback,
)
from exporter.management.errors import (
    ConnectionRefused,
    EndpointNotFound,
    EndpointPermissionError,
    EndpointUnreachable,
    ManagementError,
    SlotBusy,
)
from exporter.transport.stream import READ_SIZE, Stream


class Connector(Protocol):
    """Connects to one daemon, again and again."""

    async def connect(self) -> Stream:
        """Return a new connection.

        Raises:
            ManagementError: the connection failed; the type is the reason.
        """

    async def close(self) -> None:
        """Release what is held between connections."""


def connector_for(endpoint: Endpoint | None, *, timeout: float) -> Connector:
    """Return the connector for an endpoint, None if there is none; `timeout` is in seconds."""
    match endpoint:
        case None:
            return NullConnector()
        case TcpEndpoint():
            return TcpConnector(endpoint, timeout=timeout)
        case UnixEndpoint():
            return UnixConnector(endpoint)
        case ListenEndpoint():
            return ReverseConnector(endpoint, timeout=timeout)


class NullConnector:
    """Never connects: the daemon has no management interface."""

    async def connect(self) -> Stream:
        """Wait until cancelled."""
        never: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
        return await never

    async def close(self) -> None:
        """Do nothing."""


class TcpConnector:
    """Connects to `--management HOST PORT`."""

    def __init__(self, endpoint: TcpEndpoint, *, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._resolver = Resolver(endpoint.host)

    async def connect(self) -> Stream:
        """Connect."""
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await self._connect_to_any()
        except TimeoutError as error:
            raise self._timeout_error() from error
        except OSError as error:
            raise _map_oserror(error, str(self._endpoint)) from error
        return Stream(reader, writer, str(self._endpoint))

    async def _connect_to_any(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Try the addresses of the host one after the other.

        `asyncio.open_connection` does so, too, but its combined error has no `errno`.
        """
        errors = []
        for address in await self._resolver.addresses():
            try:
                descriptors.check_available()
                return await asyncio.open_connection(
                    address.host, self._endpoint.port, family=address.family, limit=READ_SIZE
                )
            except OSError as error:
                errors.append(error)
        # `localhost` is also ::1, whose error is of no use on a host without IPv6.
        raise next((error for error in errors if error.errno == errno.ECONNREFUSED), errors[0])

    def _timeout_error(self) -> ManagementError:
        # On loopback a connection is dropped only if the queue of the listening socket is full.
        if is_loopback(self._endpoint.host):
            return SlotBusy(
                f"{self._endpoint}: other management clients wait for the single slot; "
                "find them with 'ss -tnp' and stop one"
            )
        return EndpointUnreachable(
            f"{self._endpoint}: no answer within {self._timeout:g} s; "
            "check the firewalls between this host and the daemon's"
        )

    async def close(self) -> None:
        """Do nothing."""


class ResolvedAddress(NamedTuple):
    """One address of a host: its family, and the host in numeric form."""

    family: socket.AddressFamily
    host: str


class Resolver:
    """Looks up one host, each time anew; concurrent calls share one lookup.

    A resolver that does not answer takes half a minute to fail.
    """

    def __init__(self, host: str) -> None:
        """Create a resolver of `host`, a name or an address."""
        self._host = host
        self._lookup = SingleFlight(lambda: _look_up(host))

    async def addresses(self) -> list[ResolvedAddress]:
        """Return the addresses of the host; an address is its own result.

        Raises:
            socket.gaierror: there is no such host.
        """
        with contextlib.suppress(ValueError):
            return [_literal(self._host)]
        return await self._lookup()


def _literal(host: str) -> ResolvedAddress:
    number = ipaddress.ip_address(host)
    return ResolvedAddress(socket.AF_INET if number.version == 4 else socket.AF_INET6, host)  # noqa: PLR2004


def _look_up(host: str) -> list[ResolvedAddress]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label of more than 63 characters, or an empty one
        raise socket.gaierror(socket.EAI_NONAME, "no host name") from None
    return [ResolvedAddress(family, str(address[0])) for family, _, _, _, address in found]


class UnixConnector:
    """Connects to `--management PATH unix`."""

    def __init__(self, endpoint: UnixEndpoint) -> None:
        self._endpoint = endpoint

    async def connect(self) -> Stream:
        """Connect; with a Unix socket this succeeds or fails at once."""
        try:
            descriptors.check_available()
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        except OSError as error:
            raise _map_oserror(error, str(self._endpoint)) from error
        connection.setblocking(False)  # noqa: FBT003 -- the library's own signature
        try:
            # Not with asyncio, which takes EAGAIN (the queue is full) for a connection in progress.
            connection.connect(self._endpoint.path)
            reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_SIZE)
        except OSError as error:
            connection.close()
            raise _map_oserror(error, str(self._endpoint)) from error
        return Stream(reader, writer, str(self._endpoint))

    async def close(self) -> None:
        """Do nothing."""


class ReverseConnector:
    """Waits for a daemon to connect (`--management-client`).

    The port stays open all the time: such a daemon connects once, at its start, and exits if that
    fails. One daemon is served at a time; another waits in the queue of the listening socket.
    """

    def __init__(self, endpoint: ListenEndpoint, *, timeout: float) -> None:
        """Create a connector that waits `timeout` seconds for a daemon."""
        self._endpoint = endpoint
        self._timeout = timeout
        self._listener: socket.socket | None = None
        self._pending_accept: asyncio.Task[socket.socket] | None = None

    async def connect(self) -> Stream:
        """Return the connection of the next daemon."""
        try:
            connection = await self._accept_next()
            reader, writer = await asyncio.open_connection(sock=connection, limit=READ_SIZE)
        except OSError as error:
            raise _map_oserror(error, str(self._endpoint)) from error
        return Stream(reader, writer, str(self._endpoint))

    async def _accept_next(self) -> socket.socket:
        if self._listener is None:
            self._listener = self._listen()
        if self._pending_accept is None:
            self._pending_accept = asyncio.create_task(_accept(self._listener))
        # Not cancelled at the deadline: a daemon accepted at that moment would be lost, and exit.
        await asyncio.wait([self._pending_accept], timeout=self._timeout)
        if not self._pending_accept.done():
            raise EndpointNotFound(
                f"{self._endpoint}: no daemon has connected; start it after this exporter, with "
                f"'management {self._endpoint.host} {self._endpoint.port}' and 'management-client'"
            )
        accepted, self._pending_accept = self._pending_accept, None
        return accepted.result()

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._endpoint.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._endpoint.host, self._endpoint.port))
            listener.listen(1)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)  # noqa: FBT003 -- the library's own signature
        return listener

    async def close(self) -> None:
        """Stop listening."""
        if self._pending_accept is not None:
            self._pending_accept.cancel()
            await asyncio.wait([self._pending_accept])
            if not self._pending_accept.cancelled() and self._pending_accept.exception() is None:
                self._pending_accept.result().close()
            self._pending_accept = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None


async def _accept(listener: socket.socket) -> socket.socket:
    connection, _ = await asyncio.get_running_loop().sock_accept(listener)
    return connection


_ERRNO_MAP: dict[int, tuple[type[ManagementError], str]] = {
    errno.ECONNREFUSED: (
        ConnectionRefused,
        (
            "connection refused; is the daemon running, with a 'management' directive for this "
            "address?"
        ),
    ),
    errno.ENOENT: (
        EndpointNotFound,
        "no such socket; is the daemon running, with a 'management' directive for this path?",
    ),
    errno.EACCES: (
        EndpointPermissionError,
        "no permission; give this user access to the socket's directory",
    ),
    errno.EPERM: (
        EndpointPermissionError,
        "no permission; give this user access to the socket's directory",
    ),
    errno.EAGAIN: (
        SlotBusy,
        "other clients wait for the single slot; find them with 'ss -xp' and stop one",
    ),
    errno.EMFILE: (
        EndpointUnreachable,
        "too many open files in this process; raise its limit ('LimitNOFILE', 'ulimit -n')",
    ),
    errno.EADDRINUSE: (
        EndpointUnreachable,
        "another program already listens on this port; choose another port",
    ),
}


def _map_oserror(error: OSError, peer: str) -> ManagementError:
    """Return the management error for an error of the system, with what to do."""
    if isinstance(error, socket.gaierror):
        return EndpointNotFound(f"{peer}: no such host name; correct it, or check the resolver")
    kind, sentence = _ERRNO_MAP.get(
        error.errno or 0, (EndpointUnreachable, error.strerror or str(error))
    )
    return kind(f"{peer}: {sentence}")
