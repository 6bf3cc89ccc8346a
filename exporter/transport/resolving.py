"""Host names as addresses, by a thread that nobody ever has to wait for.

A resolver that doesn't answer keeps its thread for half a minute. asyncio's own threads are few,
others need them, and the end of the process waits for each: so a lookup gets one of its own.
"""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from typing import NamedTuple


class Address(NamedTuple):
    """One address of a host: its family, and the host as a number."""

    family: socket.AddressFamily
    host: str


class Resolver:
    """Looks one host up, anew each time; at most one lookup is under way."""

    def __init__(self, host: str) -> None:
        """Look up `host`, a name or an address as text."""
        self._host = host
        self._lookup: asyncio.Future[list[Address]] | None = None

    async def addresses(self) -> list[Address]:
        """Return the addresses of the host; one that is an address is its own.

        Raises:
            socket.gaierror: there is no such host.
        """
        with contextlib.suppress(ValueError):
            return [_literal(self._host)]
        if self._lookup is None or self._lookup.done():
            self._lookup = _look_up(self._host)
        return await asyncio.shield(self._lookup)


def _literal(host: str) -> Address:
    number = ipaddress.ip_address(host)
    return Address(socket.AF_INET if number.version == 4 else socket.AF_INET6, host)  # noqa: PLR2004


def _look_up(host: str) -> asyncio.Future[list[Address]]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def take(found: list[Address] | OSError) -> None:
        if isinstance(found, OSError):
            answer.set_exception(found)
            answer.exception()  # whoever asked may have given up: then nobody else takes it
        else:
            answer.set_result(found)

    def ask() -> None:
        found = _ask(host)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(take, found)

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    return answer


def _ask(host: str) -> list[Address] | OSError:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError:  # a label of more than 63 letters, or none that the system could ask for
        return socket.gaierror(socket.EAI_NONAME, "no host name")
    return [Address(family, str(address[0])) for family, _, _, _, address in found]
