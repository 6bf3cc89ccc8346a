"""Both directions of one connection to a daemon."""

import asyncio
import contextlib
import socket

import msgspec

READ_SIZE = 256 * 1024
"""Bytes read from the socket at once; asyncio reads no more in one pass of its loop."""

_TCP_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Only Linux has this option."""


class Stream(msgspec.Struct, frozen=True):
    """A reader, a writer, and the address to name in errors."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    peer: str
    received: bytearray = msgspec.field(default_factory=bytearray)
    """Bytes that were received already; they are read first."""

    async def read(self) -> bytes:
        """Return received bytes, b"" at the end of the stream.

        OpenVPN does not set TCP_NODELAY: its kernel holds back the next part of a reply until the
        previous part is acknowledged. Delayed acknowledgement would cost 40 ms for each part;
        TCP_QUICKACK avoids it. The option is not permanent, so it is set again after each read.
        """
        if self.received:
            data = bytes(self.received)
            self.received.clear()
            return data
        data = await self.reader.read(READ_SIZE)
        if data:
            self._set_quickack()
        return data

    def _set_quickack(self) -> None:
        connection = self.writer.get_extra_info("socket")
        if _TCP_QUICKACK is None or connection is None:
            return
        with contextlib.suppress(OSError):  # a Unix socket, or already closed
            connection.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)
