"""An OpenVPN server without a key, as far as its answer to a first packet over UDP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast


class _FakeServer(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        session_id = data[1:9]
        answer = b"\x40serverid\x01" + bytes(4) + session_id + bytes(4)
        self._transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def fake_server() -> AsyncIterator[int]:
    """Answer on a free port of 127.0.0.1, which is yielded."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_FakeServer, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
