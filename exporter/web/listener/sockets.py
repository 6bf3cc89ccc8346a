"""Listen addresses, the sockets that are bound to them, and sockets that systemd passes."""

import contextlib
import functools
import os
import re
import socket
from collections.abc import MutableMapping, Sequence

import msgspec

from exporter.aio import run_in_daemon_thread
from exporter.management.endpoint import MAX_PORT
from exporter.secret import without_credentials

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:]*):([0-9]{1,5})")

SD_LISTEN_FDS_START = 3
"""The first file descriptor that systemd passes (sd_listen_fds)."""

_SD_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")

_WILDCARDS = {"::", "0.0.0.0"}  # noqa: S104 -- compared with, never bound


class ListenAddress(msgspec.Struct, frozen=True):
    """A host, None for all addresses of the machine, and a port, 0 for any free one."""

    host: str | None
    port: int


def parse_listen_address(text: str) -> ListenAddress:
    """Parse `:9176`, `127.0.0.1:9176` or `[::1]:9176`.

    Raises:
        ValueError: anything else; the text says how to write it.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[2]) > MAX_PORT:
        shown = without_credentials(text)
        raise ValueError(f"{shown!r} is not a listen address; write :9176 or 127.0.0.1:9176")
    return ListenAddress(match[1].strip("[]") or None, int(match[2]))


class BoundAddress(msgspec.Struct, frozen=True):
    """A host and its listening sockets, one for each of the addresses that the host has."""

    host: str
    sockets: tuple[socket.socket, ...]

    def url(self, *, encrypted: bool) -> str:
        """Return the base URL, with the port that was chosen for port 0."""
        scheme = "https" if encrypted else "http"
        name = self.sockets[0].getsockname()
        if self.sockets[0].family == socket.AF_UNIX:
            return f"{scheme}+unix://{name}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{name[1]}"


async def bind(addresses: Sequence[ListenAddress]) -> tuple[BoundAddress, ...]:
    """Listen at all addresses.

    Raises:
        OSError: an address is unknown or cannot be listened on; then no socket stays open.
    """
    with contextlib.ExitStack() as sockets:
        bound = tuple([await _bind_address(address, sockets) for address in addresses])
        sockets.pop_all()
    return bound


async def _bind_address(address: ListenAddress, sockets: contextlib.ExitStack) -> BoundAddress:
    if address.host is None:
        return BoundAddress("localhost", (sockets.enter_context(_wildcard_socket(address.port)),))
    # As bytes: for a text Python imports the codec of names in other scripts.
    look_up = functools.partial(
        socket.getaddrinfo, address.host.encode(), address.port, type=socket.SOCK_STREAM
    )
    try:
        resolved = look_up(flags=socket.AI_NUMERICHOST)  # at once, without a thread
    except socket.gaierror:
        try:
            resolved = await run_in_daemon_thread(look_up)
        except socket.gaierror as error:
            raise OSError(error.errno, f"{error.strerror}: {address.host}") from None
    return BoundAddress(
        address.host,
        tuple(
            sockets.enter_context(socket.create_server(name, family=family))
            for family, _, _, _, name in dict.fromkeys(resolved)
        ),
    )


def _wildcard_socket(port: int) -> socket.socket:
    """Listen on one port of all addresses of the machine.

    IPv4 and IPv6 share one socket, so that port 0 becomes the same port for both.
    """
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def listen_fds(environment: MutableMapping[str, str]) -> tuple[BoundAddress, ...]:
    """Return the sockets that systemd passed to this process (sd_listen_fds).

    Child processes inherit neither the sockets nor the variables.

    Raises:
        ValueError: no socket, or one that does not listen; the text says what to do.
    """
    count = _passed_fds(environment)
    for variable in _SD_VARIABLES:
        environment.pop(variable, None)
    return tuple(map(_passed_socket, range(SD_LISTEN_FDS_START, SD_LISTEN_FDS_START + count)))


def _passed_fds(environment: MutableMapping[str, str]) -> int:
    count = environment.get("LISTEN_FDS", "")
    is_for_us = environment.get("LISTEN_PID") == str(os.getpid())
    if not is_for_us or not count.isdecimal() or int(count) == 0:
        raise ValueError("systemd passed no socket: start the exporter by a .socket unit")
    return int(count)


def _passed_socket(descriptor: int) -> BoundAddress:
    try:
        os.set_inheritable(descriptor, False)  # noqa: FBT003 -- its name says it
        listening = socket.socket(fileno=descriptor)
    except OSError:
        raise ValueError(
            f"descriptor {descriptor} of systemd is not a socket: check the .socket unit"
        ) from None
    if not _is_listening(listening):
        listening.detach()
        raise ValueError(
            f"descriptor {descriptor} of systemd does not listen: "
            "write ListenStream= and Accept=no into the .socket unit"
        )
    host = str(listening.getsockname()[0])
    return BoundAddress("localhost" if host in _WILDCARDS else host, (listening,))


def _is_listening(candidate: socket.socket) -> bool:
    if candidate.type != socket.SOCK_STREAM:
        return False
    return candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
