"""Sockets that systemd opened for us (sd_listen_fds): it listens before the exporter runs."""

import os
import socket
from collections.abc import MutableMapping

from exporter.web.listener.sockets import BoundAddress

_FIRST = 3
"""systemd hands over descriptors from here on."""

_EVERYWHERE = {"::", "0.0.0.0"}  # noqa: S104 -- only to be recognised

_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def listen_fds(environment: MutableMapping[str, str]) -> tuple[BoundAddress, ...]:
    """Return the sockets that were handed over to this process, and hand them to no other.

    Raises:
        ValueError: there are none, or one that doesn't listen; the text says what to do.
    """
    count = _count(environment)
    for variable in _VARIABLES:
        environment.pop(variable, None)
    return tuple(map(_place, range(_FIRST, _FIRST + count)))


def _count(environment: MutableMapping[str, str]) -> int:
    count = environment.get("LISTEN_FDS", "")
    meant = environment.get("LISTEN_PID") == str(os.getpid())
    if not meant or not count.isdecimal() or int(count) == 0:
        raise ValueError("systemd handed over no socket: start the exporter by a .socket unit")
    return int(count)


def _place(descriptor: int) -> BoundAddress:
    try:
        os.set_inheritable(descriptor, False)  # noqa: FBT003 -- its name says it
        listening = socket.socket(fileno=descriptor)
    except OSError:
        raise ValueError(f"descriptor {descriptor} of systemd is no socket: name one") from None
    if not _accepts(listening):
        listening.detach()
        raise ValueError(
            f"descriptor {descriptor} of systemd takes no connections: "
            "write ListenStream= and Accept=no into the .socket unit"
        )
    host = str(listening.getsockname()[0])
    return BoundAddress("localhost" if host in _EVERYWHERE else host, (listening,))


def _accepts(candidate: socket.socket) -> bool:
    if candidate.type != socket.SOCK_STREAM:
        return False
    return candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
