"""The listening management socket: one client at a time, the others wait without a greeting."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from exporter.simulator.management.connection import ManagementConnection, ManagementSlot

BACKLOG = 1
"""As OpenVPN's: the kernel accepts a second and a third client; further ones can't connect."""


class ManagementListener:
    """The listening management socket of a daemon."""

    def __init__(self, slot: ManagementSlot, *, unix_path: Path | None = None) -> None:
        """Listen at a free port of loopback, or at a Unix socket; accept no client yet."""
        self._slot = slot
        self._unix_path = unix_path
        self._connection: ManagementConnection | None = None
        self._socket = _listen(unix_path)
        self._task: asyncio.Task[None] | None = None
        self.address = _address(self._socket)
        """The address in an exporter's configuration: `127.0.0.1:43211` or `unix:/path`."""

    def tick(self) -> None:
        """Run what is due: for a manual clock, or after a signal."""
        if self._connection is not None:
            self._connection.tick()
        else:
            self._slot.advance()
            self._close_if_exited()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve one client after the other until the block ends, then close the socket."""
        self._task = asyncio.create_task(self._serve())
        try:
            yield
        finally:
            await self._stop(self._task)
            self._close()

    async def _stop(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._slot.daemon.exited:
            client, peer = await loop.sock_accept(self._socket)
            self._slot.advance()
            name = str(self._unix_path) if self._unix_path else "[AF_INET]{}:{}".format(*peer)
            self._slot.daemon.log(3, "", f"MANAGEMENT: Client connected from {name}")
            await self._serve_client(client)

    async def _serve_client(self, client: socket.socket) -> None:
        transport, connection = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: ManagementConnection(self._slot, on_disconnect=self._on_disconnect), client
        )
        self._connection = connection
        try:
            await connection.done.wait()
        finally:
            transport.abort()

    def _on_disconnect(self) -> None:
        self._connection = None
        self._slot.daemon.log(3, "", "MANAGEMENT: Client disconnected")
        self._close_if_exited()

    def _close_if_exited(self) -> None:
        """Stop listening once the daemon has exited: later connections are refused."""
        if self._slot.daemon.exited and self._task is not None:
            self._task.cancel()
            self._close()

    def _close(self) -> None:
        if self._socket.fileno() >= 0:
            # The loop may still watch this file descriptor, which another socket may get next.
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if self._unix_path is not None:
            self._unix_path.unlink(missing_ok=True)


def _listen(unix_path: Path | None) -> socket.socket:
    if unix_path is None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
    else:
        unix_path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(unix_path))
    listener.settimeout(0)
    listener.listen(BACKLOG)
    return listener


def _address(listener: socket.socket) -> str:
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return f"unix:{name}"
    host, port = name
    return f"{host}:{port}"
