"""Host names as addresses; a resolver that doesn't answer takes half a minute to say so."""

import contextlib
import ipaddress
import socket
from typing import NamedTuple

from exporter.aio import SingleFlight


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
