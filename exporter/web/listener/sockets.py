"""A place to be found at: listening sockets, and the URL that people use."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

import msgspec

from exporter.web.listener.address import ListenAddress


class BoundAddress(msgspec.Struct, frozen=True):
    """A host, which may stand for several addresses, and a socket for each."""

    host: str
    sockets: tuple[socket.socket, ...]

    def url(self, *, encrypted: bool) -> str:
        """Return the base URL, where port 0 has become the real one."""
        scheme = "https" if encrypted else "http"
        name = self.sockets[0].getsockname()
        if self.sockets[0].family == socket.AF_UNIX:
            return f"{scheme}+unix://{name}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{name[1]}"


async def bind(addresses: Sequence[ListenAddress]) -> tuple[BoundAddress, ...]:
    """Listen at every address.

    Raises:
        OSError: an address is unknown or can't be listened on; then none is.
    """
    with contextlib.ExitStack() as opened:
        places = tuple([await _place(address, opened) for address in addresses])
        opened.pop_all()
    return places


async def _place(address: ListenAddress, opened: contextlib.ExitStack) -> BoundAddress:
    if address.host is None:
        return BoundAddress("localhost", (opened.enter_context(_everywhere(address.port)),))
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise OSError(error.errno, f"{error.strerror}: {address.host}") from None
    sockets = [
        opened.enter_context(socket.create_server(name, family=family))
        for family, _, _, _, name in dict.fromkeys(found)
    ]
    return BoundAddress(address.host, tuple(sockets))


def _everywhere(port: int) -> socket.socket:
    """Listen at one port of all addresses of the machine.

    IPv4 and IPv6 share it, so that port 0 becomes the same port for both.
    """
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))
