"""Opens the stream to a management interface, or says why it can't be opened.

Never a bare probe: whoever connects takes the daemon's single management slot.
"""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from typing import NamedTuple, Protocol

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
    """Gives a new stream to one daemon each time it is asked."""

    async def connect(self) -> Stream:
        """Open a stream.

        Raises:
            ManagementError: the stream can't be had; the type says why.
        """

    async def close(self) -> None:
        """Give back what is held between streams."""


def connector_for(endpoint: Endpoint | None, *, timeout: float) -> Connector:
    """Return the opener for an endpoint, None for a daemon without; `timeout` is in seconds."""
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
    """Never opens anything: the daemon has no management interface."""

    async def connect(self) -> Stream:
        """Wait for ever."""
        never: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
        return await never

    async def close(self) -> None:
        """Nothing is held."""


class TcpConnector:
    """Connects to `--management HOST PORT`."""

    def __init__(self, endpoint: TcpEndpoint, *, timeout: float) -> None:
        """Connect within `timeout` seconds each time."""
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

        `open_connection` does so, too, but of two errors it keeps no number.
        """
        errors = []
        for address in await self._resolver.addresses():
            try:
                return await asyncio.open_connection(
                    address.host, self._endpoint.port, family=address.family, limit=READ_SIZE
                )
            except OSError as error:
                errors.append(error)
        # `localhost` is ::1, too, and where there is no IPv6 that address only says so.
        raise next((error for error in errors if error.errno == errno.ECONNREFUSED), errors[0])

    def _timeout_error(self) -> ManagementError:
        # A full queue before the slot drops what comes; nothing else does so on loopback.
        if is_loopback(self._endpoint.host):
            return SlotBusy(
                f"{self._endpoint}: other management clients queue for the single slot; "
                "find them with 'ss -tnp' and let one of them give way"
            )
        return EndpointUnreachable(
            f"{self._endpoint}: no answer within {self._timeout:g} s; "
            "look for a firewall between here and there"
        )

    async def close(self) -> None:
        """Nothing is held."""


class ResolvedAddress(NamedTuple):
    """One address of a host: its family, and the host as a number."""

    family: socket.AddressFamily
    host: str


class Resolver:
    """Looks one host up, anew each time; at most one lookup is under way."""

    def __init__(self, host: str) -> None:
        """Look up `host`, a name or an address as text."""
        self._host = host
        self._lookup = SingleFlight(lambda: _look_up(host))

    async def addresses(self) -> list[ResolvedAddress]:
        """Return the addresses of the host; one that is an address is its own.

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
    except UnicodeError:  # a label of more than 63 letters, or none that the system could ask for
        raise socket.gaierror(socket.EAI_NONAME, "no host name") from None
    return [ResolvedAddress(family, str(address[0])) for family, _, _, _, address in found]


class UnixConnector:
    """Connects to `--management PATH unix`."""

    def __init__(self, endpoint: UnixEndpoint) -> None:
        """Connect to the same path each time."""
        self._endpoint = endpoint

    async def connect(self) -> Stream:
        """Connect; a Unix socket does so at once or not at all."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)  # noqa: FBT003 -- the library's own signature
        try:
            # Not through asyncio: it takes EAGAIN, a full queue, for a connect under way.
            connection.connect(self._endpoint.path)
            reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_SIZE)
        except OSError as error:
            connection.close()
            raise _map_oserror(error, str(self._endpoint)) from error
        return Stream(reader, writer, str(self._endpoint))

    async def close(self) -> None:
        """Nothing is held."""


class ReverseConnector:
    """Waits for a daemon to dial in (`--management-client`).

    The port stays open all the time, since such a daemon dials once, at its start, and exits when
    nobody is there. One daemon is served at a time; another waits in the socket's queue.
    """

    def __init__(self, endpoint: ListenEndpoint, *, timeout: float) -> None:
        """Say `EndpointNotFound` when nobody has dialled in for `timeout` seconds."""
        self._endpoint = endpoint
        self._timeout = timeout
        self._listener: socket.socket | None = None
        self._pending_accept: asyncio.Task[socket.socket] | None = None

    async def connect(self) -> Stream:
        """Take the next daemon that dials in."""
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
        # Not cut off at the deadline: a daemon that comes in that moment would be lost, and exit.
        await asyncio.wait([self._pending_accept], timeout=self._timeout)
        if not self._pending_accept.done():
            raise EndpointNotFound(
                f"{self._endpoint}: no daemon has dialled in; start it after this exporter, with "
                f"'management {self._endpoint.host} {self._endpoint.port}' and 'management-client'"
            )
        arrival, self._pending_accept = self._pending_accept, None
        return arrival.result()

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
                self._pending_accept.result().close()  # nobody will take it any more
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
        "nobody listens; is the daemon running, with a 'management' directive for this address?",
    ),
    errno.ENOENT: (
        EndpointNotFound,
        "no such socket; is the daemon running, with a 'management' directive for this path?",
    ),
    errno.EACCES: (
        EndpointPermissionError,
        "no permission; let this user into the socket's directory",
    ),
    errno.EPERM: (
        EndpointPermissionError,
        "no permission; let this user into the socket's directory",
    ),
    errno.EAGAIN: (
        SlotBusy,
        "other clients queue for the single slot; find them with 'ss -xp' and let one give way",
    ),
    errno.EADDRINUSE: (
        EndpointUnreachable,
        "another program already listens here; choose another port",
    ),
}


def _map_oserror(error: OSError, peer: str) -> ManagementError:
    """Turn the operating system's word into ours, with what to do about it."""
    if isinstance(error, socket.gaierror):
        return EndpointNotFound(f"{peer}: no such host name; correct it, or look at the resolver")
    kind, sentence = _ERRNO_MAP.get(
        error.errno or 0, (EndpointUnreachable, error.strerror or str(error))
    )
    return kind(f"{peer}: {sentence}")
