"""Both directions of one connection to a daemon."""

import asyncio
import contextlib
import socket

import msgspec

READ_SIZE = 256 * 1024
"""Bytes taken from the socket at once; asyncio reads no more in one turn of the loop."""

_TCP_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Linux alone has it."""


class Stream(msgspec.Struct, frozen=True):
    """A reader, a writer, and the address to name in errors."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    peer: str

    async def read(self) -> bytes:
        """Return what has come, b"" once the peer has hung up.

        OpenVPN doesn't set TCP_NODELAY: it holds the next piece of a reply back until it knows
        that the last has come, which a kernel tells after 40 ms of patience unless it is pressed.
        The option doesn't last, and acknowledges what is there when it is set: so after each read.
        Our own commands are not held back; asyncio sets TCP_NODELAY.
        """
        data = await self.reader.read(READ_SIZE)
        if data:
            self._set_quickack()
        return data

    def _set_quickack(self) -> None:
        connection = self.writer.get_extra_info("socket")
        if _TCP_QUICKACK is None or connection is None:
            return
        with contextlib.suppress(OSError):  # a Unix socket, or closed meanwhile
            connection.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)
