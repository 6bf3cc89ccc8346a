"""Connects to a management interface, or returns the reason why that fails.

No connection is made as a mere test: each one takes the daemon's single management slot.
"""

import asyncio
import contextlib
import errno
import functools
import ipaddress
import socket
from typing import NamedTuple, Protocol

from exporter import descriptors
from exporter.aio import SingleFlight
from exporter.management.endpoint import (
    Endpoint,
    ListenEndpoint,
    ListenUnixEndpoint,
    TcpEndpoint,
    UnixEndpoint,
    is_loopback,
)
from exporter.management.errors import EndpointUnreachable, ManagementError, SlotBusy
from exporter.transport.reverse import ReverseConnector, ReverseOptions
from exporter.transport.stream import Stream
from exporter.transport.system_errors import management_error


class Connector(Protocol):
    """Connects to one daemon, again and again."""

    async def connect(self) -> Stream:
        """Return a new connection.

        Raises:
            ManagementError: the connection failed; the type is the reason.
        """

    async def close(self) -> None:
        """Release what is held between connections."""


def connector_for(
    endpoint: Endpoint | None, *, timeout: float, reverse: ReverseOptions | None = None
) -> Connector:
    """Return the connector for an endpoint, None if there is none.

    `timeout` is in seconds; `reverse` is for an endpoint where we listen.
    """
    match endpoint:
        case None:
            return NullConnector()
        case TcpEndpoint():
            return TcpConnector(endpoint, timeout=timeout)
        case UnixEndpoint():
            return UnixConnector(endpoint)
        case ListenEndpoint() | ListenUnixEndpoint():
            return ReverseConnector(endpoint, reverse or ReverseOptions(timeout))


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
                return await self._connect_to_any()
        except TimeoutError as error:
            raise self._timeout_error() from error
        except OSError as error:
            raise management_error(error, str(self._endpoint)) from error

    async def _connect_to_any(self) -> Stream:
        """Try the addresses of the host one after the other.

        `create_connection` does so, too, but its combined error has no `errno`.
        """
        loop, errors = asyncio.get_running_loop(), []
        for address in await self._resolver.addresses():
            try:
                descriptors.check_available()
                _, stream = await loop.create_connection(
                    lambda: Stream(str(self._endpoint)),
                    address.host,
                    self._endpoint.port,
                    family=address.family,
                )
            except OSError as error:
                errors.append(error)
            else:
                return stream
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
        self._lookup: SingleFlight[list[ResolvedAddress]] | None = None

    async def addresses(self) -> list[ResolvedAddress]:
        """Return the addresses of the host; an address is its own result.

        Raises:
            socket.gaierror: there is no such host.
        """
        with contextlib.suppress(ValueError):
            return [_literal(self._host)]
        if self._lookup is None:
            self._lookup = SingleFlight(functools.partial(_look_up, self._host))
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
            raise management_error(error, str(self._endpoint)) from error
        connection.setblocking(False)  # noqa: FBT003 -- the library's own signature
        try:
            # Not with asyncio, which takes EAGAIN (the queue is full) for a connection in progress.
            connection.connect(self._endpoint.path)
            _, stream = await asyncio.get_running_loop().create_unix_connection(
                lambda: Stream(str(self._endpoint)), sock=connection
            )
        except OSError as error:
            connection.close()
            raise management_error(error, str(self._endpoint)) from error
        return stream

    async def close(self) -> None:
        """Do nothing."""
