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
from exporter.management.server.protocol import READ_SIZE
from exporter.monitor.shared_session import SharedSession
from exporter.secret import Secret
from exporter.sharing.tool import ToolSession
from exporter.state.daemon import DaemonState
from exporter.state.sharing import Outcome
from exporter.transport.listening import close_listener, listen_error, set_access

_ACCEPT_RETRY_DELAY = 1.0
"""Seconds until the next attempt after accept failed for lack of resources."""

_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""A tool whose host has gone gives its place back after two minutes."""

_log = logging.getLogger(__name__)

SharedAddress = TcpEndpoint | UnixEndpoint


class Share:
    """Serves tools at the configured addresses, until it is closed.

    A thousand daemons may be shared, most of them without tools: an open socket has no task.
    """

    __slots__ = (
        "_config",
        "_daemon",
        "_logged_password_error",
        "_read_password",
        "_sockets",
        "_tools",
        "shared",
    )

    def __init__(self, daemon: DaemonState, shared: SharedSession, config: ShareConfig) -> None:
        """Share the session with a daemon; `configure` says where."""
        self.shared = shared
        self._daemon = daemon
        self._config = config
        self._sockets: dict[SharedAddress, socket.socket | None] = {}
        """The listening sockets; None where there is none yet."""
        self._tools: dict[asyncio.Task[None], socket.socket | None] = {}
        """The tasks of the tools, each with its connection until it has started."""
        self._read_password: SingleFlight[Secret | None] | None = None
        self._logged_password_error = ""

    @property
    def addresses(self) -> Sequence[SharedAddress]:
        """The addresses at which the share listens, or is to listen."""
        return tuple(self._sockets)

    @property
    def group(self) -> int | None:
        """The group of Unix sockets, None for the exporter's own."""
        return self._config.group.number if self._config.group is not None else None

    @property
    def mode(self) -> int:
        """The mode of Unix sockets."""
        return self._config.mode.bits

    def lacks(self, address: SharedAddress) -> bool:
        """Return whether an address is configured, and nothing listens there."""
        return self._sockets.get(address, ...) is None

    async def configure(self, config: ShareConfig) -> Sequence[SharedAddress]:
        """Apply a configuration; return the new addresses. Tools that are connected stay."""
        access_changed = (config.mode, config.group) != (self._config.mode, self._config.group)
        self._config = config
        self.shared.share(config.max_age)
        added = [address for address in config.listen if address not in self._sockets]
        if access_changed:
            for address, listener in self._sockets.items():
                if isinstance(address, UnixEndpoint) and listener is not None:
                    with contextlib.suppress(OSError):  # logged at the next start
                        await self._set_access(address)
        self._sockets.update(dict.fromkeys(added))
        return added

    def on_opened(self, address: SharedAddress, listener: socket.socket) -> None:
        """Accept tools at an address that it lacked."""
        self._daemon.sharing.problems.pop(str(address), None)
        self._sockets[address] = listener
        self._resume(listener)
        event(_log, Level.INFO, "sharing", daemon=self._daemon.name, address=address)

    def on_error(self, address: SharedAddress, error: OSError) -> None:
        """Report that an address can't be used; it is tried again."""
        text = str(listen_error(error, str(address)))
        if self._daemon.sharing.problems.get(str(address)) != text:
            event(_log, Level.WARN, "cannot share the daemon", daemon=self._daemon.name, error=text)
        self._daemon.sharing.problems[str(address)] = text

    async def release(self, addresses: Sequence[SharedAddress]) -> None:
        """Stop listening at some addresses."""
        for address in addresses:
            self._daemon.sharing.problems.pop(str(address), None)
            listener = self._sockets.pop(address, None)
            if listener is not None:
                asyncio.get_running_loop().remove_reader(listener)
                await close_listener(listener)

    async def close(self) -> None:
        """Stop listening, and end the sessions of all tools."""
        self.shared.share(None)
        await self.release(self.addresses)
        await cancel_and_wait(self._tools)

    async def _set_access(self, address: UnixEndpoint) -> None:
        group, mode = self.group, self.mode
        await run_in_daemon_thread(lambda: set_access(address.path, group, mode))

    def _resume(self, listener: socket.socket) -> None:
        """Accept tools from now on."""
        if listener in self._sockets.values():  # else it was closed meanwhile
            asyncio.get_running_loop().add_reader(listener, self._accept_tool, listener)

    def _accept_tool(self, listener: socket.socket) -> None:
        """Accept one tool; if more of them wait, this is called again."""
        try:
            connection, _ = listener.accept()
        except BlockingIOError:  # the tool has gone
            return
        except OSError:  # the system lacks resources
            loop = asyncio.get_running_loop()
            loop.remove_reader(listener)
            loop.call_later(_ACCEPT_RETRY_DELAY, self._resume, listener)
            return
        if self._refuses(connection):
            connection.close()
            return
        connection.setblocking(False)  # noqa: FBT003 -- the library's own signature
        task = asyncio.create_task(self._serve(connection), name=f"tool of {self._daemon.name}")
        self._tools[task] = connection
        task.add_done_callback(self._on_end)
        self._count_tools()

    def _refuses(self, connection: socket.socket) -> bool:
        """Return whether a connection is to be closed: no session, no place, no descriptor."""
        return (
            self.shared.facts is None
            or len(self._tools) >= self._config.max_clients
            or not descriptors.is_available(connection.fileno())
        )

    def _on_end(self, task: asyncio.Task[None]) -> None:
        connection = self._tools.pop(task, None)
        if connection is not None:  # cancelled before it has started
            connection.close()
        self._count_tools()
        if not task.cancelled() and (error := task.exception()) is not None:
            message = "unhandled exception in a shared session"
            event(_log, Level.ERROR, message, daemon=self._daemon.name, cause=error)

    async def _serve(self, connection: socket.socket) -> None:
        if (task := asyncio.current_task()) is not None:
            self._tools[task] = None  # closed here from now on
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(connection.close)
            try:
                password = await self._password()
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

    async def _password(self) -> Secret | None:
        """Return the password that a tool has to send, read once for all that connect at once."""
        if self._config.password_file is None:
            return None
        if self._read_password is None:
            self._read_password = SingleFlight(self._read_password_file)
        return await self._read_password()

    def _read_password_file(self) -> Secret | None:
        path = self._config.password_file
        return None if path is None else read_password(path)

    def _log_password_error(self, error: OSError | ValueError) -> None:
        """Log once why no tool can log in."""
        if isinstance(error, ValueError) and str(error) != self._logged_password_error:
            self._logged_password_error = str(error)
            event(
                _log, Level.WARN, "cannot share the daemon", daemon=self._daemon.name, error=error
            )


def _set_keepalive(connection: socket.socket) -> None:
    if connection.family == socket.AF_UNIX:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # Linux
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
