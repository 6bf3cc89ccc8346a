"""The sockets to which a daemon (`--management-client`) or a tool connects, and who may connect.

The peer of a Unix socket is known by the credentials of its process, the peer of TCP by its address
only: every user of this host can connect to a port on loopback.
"""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec

from exporter import descriptors
from exporter.aio import run_in_daemon_thread
from exporter.management.endpoint import (
    ListenEndpoint,
    ListenUnixEndpoint,
    TcpEndpoint,
    UnixEndpoint,
)
from exporter.management.errors import (
    EndpointPermissionError,
    EndpointUnreachable,
    ManagementError,
)
from exporter.transport.system_errors import management_error

BACKLOG = 16
"""Connections that the system keeps until they are accepted."""

_OWNER_MODE = 0o600
_GROUP_MODE = 0o660

_ROOT = 0
_SO_PEERCRED: int | None = getattr(socket, "SO_PEERCRED", None)
_SO_PEERGROUPS = 59
"""Linux 4.13 and newer; Python has no name for it. The supplementary groups of the peer."""
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_MAX_GROUPS = 256
"""Python reads socket options of 1024 bytes at most, and raises OSError for a larger buffer."""

_HINTS: dict[int, tuple[type[ManagementError], str]] = {
    errno.EADDRINUSE: (
        EndpointUnreachable,
        "another program already listens on this port or socket; choose another port or path",
    ),
    errno.EEXIST: (
        EndpointUnreachable,
        "another file has this path; remove it, or change the path",
    ),
    errno.ENOENT: (EndpointUnreachable, "no such directory; create it"),
    errno.EACCES: (
        EndpointPermissionError,
        "no permission; let this user create files in the socket's directory",
    ),
    errno.EPERM: (
        EndpointPermissionError,
        "no permission to set the group of the socket; make this user a member of the group",
    ),
}


class Access(msgspec.Struct, frozen=True):
    """Who may connect, besides the loopback addresses, or root and the exporter's own user."""

    networks: tuple[str, ...] = ()
    """Networks of TCP peers."""
    group: int | None = None
    """The group of the Unix socket, and of its peers."""

    def refusal(self, connection: socket.socket) -> str:
        """Return why the peer of a connection may not connect, "" if it may.

        Raises:
            OSError: the peer has closed the connection.
        """
        if connection.family == socket.AF_UNIX:
            return self._refusal_of_process(connection)
        return self._refusal_of_address(str(connection.getpeername()[0]))

    def _refusal_of_address(self, host: str) -> str:
        address = ipaddress.ip_address(host.partition("%")[0])
        # The address of an IPv4 peer at a socket for both families.
        address = getattr(address, "ipv4_mapped", None) or address
        networks = map(ipaddress.ip_network, self.networks)
        if address.is_loopback or any(address in network for network in networks):
            return ""
        return f"a peer at {address} was refused; add its network to 'allow_from'"

    def _refusal_of_process(self, connection: socket.socket) -> str:
        if _SO_PEERCRED is None:  # only Linux has it: the mode of the socket decides alone
            return ""
        credentials = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, gid = _CREDENTIALS.unpack(credentials)
        if uid in {_ROOT, os.geteuid()}:
            return ""
        if self.group is not None and self.group in {gid, *_supplementary_groups(connection)}:
            return ""
        return (
            f"a process of user {uid} was refused (pid {pid}); make that user a member of "
            "'listen_group'"
        )


def _supplementary_groups(connection: socket.socket) -> tuple[int, ...]:
    size = struct.calcsize("I")
    try:
        groups = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MAX_GROUPS * size)
    except OSError:  # an older kernel, or more groups
        return ()
    return struct.unpack(f"{len(groups) // size}I", groups)


def listen_tcp(endpoint: ListenEndpoint | TcpEndpoint) -> socket.socket:
    """Listen on a port.

    Raises:
        OSError: the port or the address can't be used.
    """
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((endpoint.host, endpoint.port))
        return _started(listener)
    except OSError:
        listener.close()
        raise


def listen_unix(
    endpoint: ListenUnixEndpoint | UnixEndpoint, group: int | None, mode: int | None = None
) -> socket.socket:
    """Listen on a Unix socket with the access of `set_access`; blocks.

    Raises:
        OSError: the path or the group can't be used.
    """
    _remove_unused(endpoint.path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The file gets this mode: it is never open to others, whatever the umask.
        os.fchmod(listener.fileno(), _OWNER_MODE)
        listener.bind(endpoint.path)
        set_access(endpoint.path, group, mode)
        return _started(listener)
    except OSError:
        listener.close()
        raise


def listen(
    endpoint: ListenEndpoint | TcpEndpoint | ListenUnixEndpoint | UnixEndpoint,
    group: int | None,
    mode: int | None = None,
) -> socket.socket:
    """Listen on a port, or on a Unix socket with the access of `set_access`, which blocks.

    Raises:
        OSError: the address or the group can't be used, or no descriptor is available.
    """
    descriptors.check_available()
    if isinstance(endpoint, ListenEndpoint | TcpEndpoint):
        return listen_tcp(endpoint)
    return listen_unix(endpoint, group, mode)


async def open_listener(
    endpoint: ListenEndpoint | ListenUnixEndpoint, group: int | None
) -> socket.socket:
    """Listen on a port, or on a Unix socket with the access of `set_access`.

    Raises:
        OSError: the address or the group can't be used, or no descriptor is available.
    """
    if isinstance(endpoint, ListenEndpoint):
        return listen(endpoint, group)
    return await run_in_daemon_thread(lambda: listen(endpoint, group), undo=close)


def close(listener: socket.socket) -> None:
    """Close a socket of `listen`; of a Unix socket remove the file, too, which blocks."""
    if listener.family == socket.AF_UNIX:
        close_unix(listener)
    else:
        listener.close()


async def close_listener(listener: socket.socket) -> None:
    """Close a socket of `listen`; of a Unix socket remove the file, too."""
    if listener.family == socket.AF_UNIX:
        with contextlib.suppress(OSError):  # no thread can be started: the next start removes it
            await run_in_daemon_thread(lambda: close_unix(listener))
    listener.close()


def _started(listener: socket.socket) -> socket.socket:
    listener.listen(BACKLOG)
    listener.setblocking(False)  # noqa: FBT003 -- the library's own signature
    return listener


def set_access(path: str, group: int | None, mode: int | None = None) -> None:
    """Let a group open the socket at `path`, or its owner alone; `mode` is another mode. Blocks.

    Raises:
        OSError: this user may not set the group.
    """
    if group is not None and os.lstat(path).st_gid != group:
        os.chown(path, -1, group, follow_symlinks=False)
    default = _OWNER_MODE if group is None else _GROUP_MODE
    Path(path).chmod(default if mode is None else mode)


def close_unix(listener: socket.socket) -> None:
    """Close a socket of `listen_unix` and remove its file; blocks."""
    path = listener.getsockname()
    listener.close()
    with contextlib.suppress(OSError):  # in use by another process, or removed already
        _remove_unused(path)


def _remove_unused(path: str) -> None:
    """Remove a socket that an earlier process left; raise OSError if the path is in use."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    # A socket of another type is refused in another way, and never connected: a daemon's own
    # management interface would take the connection for its client.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        code = probe.connect_ex(path)
    if code != errno.ECONNREFUSED:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    Path(path).unlink()


async def accept(
    listener: socket.socket, check: Callable[[], None] = lambda: None
) -> socket.socket:
    """Accept a connection when one has come.

    `check` is called before that; the connection keeps waiting if it raises an error.

    Raises:
        OSError: the system lacks resources.
    """
    while True:
        await _wait_until_readable(listener)
        check()
        try:
            connection, _ = listener.accept()
        except BlockingIOError:  # the peer has gone
            continue
        connection.setblocking(False)  # noqa: FBT003 -- the library's own signature
        return connection


async def _wait_until_readable(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(listener, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(listener)


def listen_error(error: OSError, endpoint: str) -> ManagementError:
    """Return the management error for a socket that can't listen, with what to do."""
    if error.errno not in _HINTS:
        return management_error(error, endpoint)
    kind, sentence = _HINTS[error.errno]
    return kind(f"{endpoint}: {sentence}")
