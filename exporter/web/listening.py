"""Where to listen: addresses as exporters write them."""

import re
import socket

import msgspec

MAX_PORT = 65535

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:]*):([0-9]{1,5})")


class ListenAddress(msgspec.Struct, frozen=True):
    """A host, None for all addresses of the machine, and a port, 0 for any free one."""

    host: str | None
    port: int


def parse_listen_address(text: str) -> ListenAddress:
    """Read `:9176`, `127.0.0.1:9176` or `[::1]:9176`.

    Raises:
        ValueError: anything else; the text says how to write it.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[2]) > MAX_PORT:
        raise ValueError(f"{text!r} is no address to listen on; write :9176 or 127.0.0.1:9176")
    return ListenAddress(match[1].strip("[]") or None, int(match[2]))


def everywhere(port: int) -> socket.socket:
    """Return a listening socket at one port of all addresses of the machine.

    IPv4 and IPv6 share it, so that port 0 becomes the same port for both.

    Raises:
        OSError: the port can't be listened on.
    """
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))
