"""A NAT router between a client and a server over UDP, whose outer port can change."""

import asyncio
from asyncio import DatagramProtocol, DatagramTransport
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.real.management import LOOPBACK
from tests.real.server import Server

Address = tuple[str | Any, int]
Receiver = Callable[[bytes, Address], None]


class Router:
    """Forwards one client; the server sees the router's outer port as its address."""

    def __init__(self, server: Server) -> None:
        self._real = server
        self._client: Address | None = None
        self._inner: DatagramTransport
        self._outer: list[DatagramTransport] = []
        self.server = server

    async def open(self) -> None:
        """Open the two ports; ``server`` is then the server as seen through the router."""
        self._inner = await _port(self._from_client)
        self.server = replace(self._real, port=self._inner.get_extra_info("sockname")[1])
        await self.change_port()

    async def change_port(self) -> None:
        """Continue with another outer port."""
        self._outer.append(await _port(self._from_server))

    @property
    def address(self) -> str:
        """The client's address as the server sees it."""
        host, port = self._outer[-1].get_extra_info("sockname")
        return f"{host}:{port}"

    def close(self) -> None:
        """Close the ports."""
        for port in (self._inner, *self._outer):
            port.close()

    def _from_client(self, data: bytes, address: Address) -> None:
        self._client = address
        self._outer[-1].sendto(data, (LOOPBACK, self._real.port))

    def _from_server(self, data: bytes, _: Address) -> None:
        self._inner.sendto(data, self._client)


class _Port(DatagramProtocol):
    def __init__(self, receive: Receiver) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._receive(data, addr)


async def _port(receive: Receiver) -> DatagramTransport:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Port(receive), local_addr=(LOOPBACK, 0)
    )
    return transport


@asynccontextmanager
async def behind_router(server: Server) -> AsyncIterator[Router]:
    """Run a router before a server over UDP."""
    router = Router(server)
    await router.open()
    try:
        yield router
    finally:
        router.close()
