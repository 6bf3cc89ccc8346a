"""The share of one daemon: the sockets where tools connect, and the tools that are connected."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Sequence

from exporter import descriptors
from exporter.aio import SingleFlight, cancel_and_wait, run_in_daemon_thread
from exporter.config.secret_files import read_password
from exporter.config.share import ShareConfig
from exporter.log import Level, event
from exporter.management.endpoint import TcpEndpoint, UnixEndpoint
from exporter.management.errors import ManagementError
from exporter.management.server.protocol import READ_SIZE
from exporter.monitor.shared_session import SharedSession
from exporter.secret import Secret
from exporter.sharing.tool import ToolSession
from exporter.state.daemon import DaemonState
from exporter.state.sharing import Outcome
from exporter.transport.listening import (
    accept,
    close_listener,
    listen_error,
    open_listener,
    set_access,
)

RETRY_DELAY = 10.0
"""Seconds until the next attempt to listen at an address that can't be used."""

_ACCEPT_RETRY_DELAY = 1.0
"""Seconds until the next attempt after accept failed for lack of resources."""

_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""A tool whose host has gone gives its place back after two minutes."""

_log = logging.getLogger(__name__)

SharedAddress = TcpEndpoint | UnixEndpoint


class Share:
    """Listens at the configured addresses, until it is closed."""

    def __init__(self, daemon: DaemonState, shared: SharedSession, config: ShareConfig) -> None:
        """Share the session with a daemon; `configure` starts to listen."""
        self.shared = shared
        self._name = daemon.name
        self._daemon = daemon
        self._config = config
        self._listening: dict[SharedAddress, asyncio.Task[None]] = {}
        self._sockets: dict[SharedAddress, socket.socket] = {}
        self._opened = asyncio.Event()
        self._tools: dict[asyncio.Task[None], None] = {}
        self._read_password = SingleFlight(self._password)
        self._logged_password_error = ""

    @property
    def addresses(self) -> Sequence[SharedAddress]:
        """The addresses at which the share listens, or tries to."""
        return tuple(self._listening)

    async def configure(self, config: ShareConfig) -> None:
        """Apply a configuration: listen at new addresses. Tools that are connected stay."""
        access_changed = (config.mode, config.group) != (self._config.mode, self._config.group)
        self._config = config
        self.shared.share(config.max_age)
        for address in config.listen:
            if address not in self._listening:
                work = self._listen(address)
                self._listening[address] = asyncio.create_task(work, name=f"share {self._name}")
            elif access_changed and isinstance(address, UnixEndpoint) and address in self._sockets:
                with contextlib.suppress(OSError):  # logged at the next start
                    await self._set_access(address)

    async def until_listening(self) -> None:
        """Wait until each address is listened at."""
        while len(self._sockets) < len(self._listening):
            self._opened.clear()
            await self._opened.wait()

    async def release(self, addresses: Sequence[SharedAddress]) -> None:
        """Stop listening at some addresses."""
        for address in addresses:
            self._daemon.sharing.problems.pop(str(address), None)
        tasks = [task for address in addresses if (task := self._listening.pop(address, None))]
        await cancel_and_wait(tasks)

    async def close(self) -> None:
        """Stop listening, and end the sessions of all tools."""
        self.shared.share(None)
        await self.release(self.addresses)
        await cancel_and_wait(self._tools)

    async def _listen(self, address: SharedAddress) -> None:
        """Listen at an address; try again where that fails, as nothing else depends on it."""
        while True:
            try:
                listener = await open_listener(address, self._group, self._config.mode.bits)
            except (OSError, ManagementError) as error:
                self._report(address, error)
                await asyncio.sleep(RETRY_DELAY)
                continue
            self._daemon.sharing.problems.pop(str(address), None)
            self._sockets[address] = listener
            self._opened.set()
            event(_log, Level.INFO, "sharing", daemon=self._name, address=address)
            try:
                await self._accept_tools(listener)
            finally:
                del self._sockets[address]
                await close_listener(listener)

    def _report(self, address: SharedAddress, error: OSError | ManagementError) -> None:
        text = str(listen_error(error, str(address)) if isinstance(error, OSError) else error)
        if self._daemon.sharing.problems.get(str(address)) != text:
            event(_log, Level.WARN, "cannot share the daemon", daemon=self._name, error=text)
        self._daemon.sharing.problems[str(address)] = text

    @property
    def _group(self) -> int | None:
        return self._config.group.number if self._config.group is not None else None

    async def _set_access(self, address: UnixEndpoint) -> None:
        group, mode = self._group, self._config.mode.bits
        await run_in_daemon_thread(lambda: set_access(address.path, group, mode))

    async def _accept_tools(self, listener: socket.socket) -> None:
        while True:
            try:
                connection = await accept(listener)
            except OSError:
                await asyncio.sleep(_ACCEPT_RETRY_DELAY)
                continue
            if self._refuses(connection):
                connection.close()
                continue
            task = asyncio.create_task(self._serve(connection), name=f"tool of {self._name}")
            self._tools[task] = None
            task.add_done_callback(self._on_end)
            self._count_tools()
            await asyncio.sleep(0)  # once it has started, it closes its connection if cancelled

    def _refuses(self, connection: socket.socket) -> bool:
        """Return whether a connection is to be closed: no session, no place, no descriptor."""
        return (
            self.shared.facts is None
            or len(self._tools) >= self._config.max_clients
            or not descriptors.is_available(connection.fileno())
        )

    def _on_end(self, task: asyncio.Task[None]) -> None:
        self._tools.pop(task, None)
        self._count_tools()
        if not task.cancelled() and (error := task.exception()) is not None:
            message = "unhandled exception in a shared session"
            event(_log, Level.ERROR, message, daemon=self._name, cause=error)

    async def _serve(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(connection.close)
            try:
                has_password = self._config.password_file is not None
                password = await self._read_password() if has_password else None
                _set_keepalive(connection)
                reader, writer = await asyncio.open_connection(sock=connection, limit=READ_SIZE)
            except (OSError, ValueError) as error:
                self._log_password_error(error)
                return
            cleanup.pop_all()
        session = ToolSession(
            reader,
            writer,
            shared=self.shared,
            count=self._count_command,
            config=lambda: self._config,
            password=password,
        )
        await session.run()

    def _count_tools(self) -> None:
        self._daemon.sharing.tools = len(self._tools)
        self._daemon.revision += 1

    def _count_command(self, name: str, outcome: Outcome) -> None:
        self._daemon.sharing.commands[name, outcome.value] += 1
        self._daemon.revision += 1

    def _password(self) -> Secret | None:
        path = self._config.password_file
        return None if path is None else read_password(path)

    def _log_password_error(self, error: OSError | ValueError) -> None:
        """Log once why no tool can log in."""
        if isinstance(error, ValueError) and str(error) != self._logged_password_error:
            self._logged_password_error = str(error)
            event(_log, Level.WARN, "cannot share the daemon", daemon=self._name, error=error)


def _set_keepalive(connection: socket.socket) -> None:
    if connection.family == socket.AF_UNIX:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # Linux
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
