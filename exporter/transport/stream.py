"""Both directions of one connection to a daemon."""

import asyncio
import contextlib
import functools
import socket
from collections.abc import Callable
from typing import cast

READ_SIZE = 256 * 1024
"""Unread bytes from which on no more are taken from the socket; asyncio takes as many at once."""

_TCP_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Only Linux has this option."""


def _ignore() -> None:
    pass


class Stream(asyncio.Protocol):
    """The bytes of a connection.

    They are taken by one reader: when `on_readable` is called, or by a task with `read`. asyncio's
    own streams take two KiB more, for as long as the connection lives.
    """

    __slots__ = (
        "_closed",
        "_error",
        "_has_ended",
        "_is_open",
        "_is_paused",
        "_unread",
        "on_readable",
        "peer",
        "transport",
    )

    def __init__(self, peer: str) -> None:
        """`peer` is the address to name in errors."""
        self.peer = peer
        self.transport: asyncio.Transport
        self.on_readable: Callable[[], None] = _ignore
        """Called when there is more to take, or the end."""
        self._unread = b""
        self._is_open = True
        self._has_ended = False
        self._is_paused = False
        self._error: Exception | None = None
        self._closed: asyncio.Future[None] | None = None

    async def read(self) -> bytes:
        """Wait until there is something to take, and take it.

        Raises:
            OSError: the connection was lost.
        """
        if not self._unread and not self._has_ended:
            readable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.on_readable = functools.partial(_resolve, readable)
            try:
                await readable
            finally:
                self.on_readable = _ignore
        return self.take()

    @property
    def has_ended(self) -> bool:
        """Whether all is taken, and there will be no more."""
        return self._has_ended and not self._unread

    def take(self) -> bytes:
        """Return the bytes that were received, b"" without any.

        Raises:
            OSError: the connection was lost.
        """
        data, self._unread = self._unread, b""
        if self._is_paused:
            self._is_paused = False
            self.transport.resume_reading()
        if not data and self._error is not None:
            raise self._pop_error(self._error)
        return data

    def _pop_error(self, error: Exception) -> Exception:
        """Forget the error before it is raised: then its traceback refers to the stream."""
        self._error = None
        return error

    def unread(self, data: bytes) -> None:
        """Let these bytes be read again, before all others."""
        self._unread = data + self._unread

    def write(self, data: bytes) -> None:
        """Send bytes, as soon as that is possible."""
        self.transport.write(data)

    def close(self) -> None:
        """Close the connection when all bytes are sent; what is received is not taken."""
        self.on_readable = _ignore
        self.transport.close()

    async def wait_closed(self, seconds: float) -> None:
        """Wait until the connection is closed, `seconds` at most."""
        if self._is_open:
            self._closed = self._closed or asyncio.get_running_loop().create_future()
            await asyncio.wait([self._closed], timeout=seconds)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport of the connection."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take received bytes, and acknowledge them at once.

        OpenVPN does not set TCP_NODELAY: its kernel holds back the next part of a reply until the
        previous part is acknowledged. Delayed acknowledgement would cost 40 ms for each part;
        TCP_QUICKACK avoids it. The option is not permanent, so it is set again each time.
        """
        self._set_quickack()
        self._unread += data
        if len(self._unread) >= READ_SIZE:
            self._is_paused = True
            self.transport.pause_reading()
        self.on_readable()

    def _set_quickack(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if _TCP_QUICKACK is None or connection is None:
            return
        with contextlib.suppress(OSError):  # a Unix socket, or already closed
            connection.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)

    def eof_received(self) -> bool:
        """Take the end of what is received; return True, so that more can be sent."""
        self._has_ended = True
        self.on_readable()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection, and the error that ended it."""
        self._has_ended, self._is_open, self._error = True, False, exc
        self.on_readable()
        if self._closed is not None:
            _resolve(self._closed)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
