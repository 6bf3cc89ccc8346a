"""An address to listen on, as exporters write it."""

import re

import msgspec

from exporter.management.endpoint import MAX_PORT

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
