"""The clients that a server's `client-config-dir` names: each file there is called like one."""

import os
from collections.abc import Iterator
from pathlib import Path

from exporter.files import open_regular
from exporter.openvpn_config import directives
from exporter.openvpn_config.errors import Location, OpenVpnConfigError, UnreadableFile

MAX_CLIENTS = 20_000
"""Files looked at in one directory."""

MAX_BYTES = 1 << 16
"""Bytes read of one."""

_FOR_ALL_OTHERS = "DEFAULT"


def expected_clients(directory: Path) -> tuple[str, ...]:
    """Return the common names with a file of their own, in order, without those disabled there.

    A name that can't be printed is left out; OpenVPN would ask for another file then anyway.

    Raises:
        Unreadable: the directory can't be read, or holds more than `MAX_CLIENTS` files.
    """
    try:
        with os.scandir(directory) as entries:
            files = [Path(entry.path) for entry in _candidates(entries)]
    except OSError as error:
        raise UnreadableFile(Location(directory), f"cannot read it: {error.strerror}") from None
    if len(files) > MAX_CLIENTS:
        raise UnreadableFile(Location(directory), f"more than {MAX_CLIENTS} files")
    return tuple(sorted(file.name for file in files if not _disabled(file)))


def _candidates(entries: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    for entry in entries:
        name = entry.name
        hidden = name.startswith(".") or name == _FOR_ALL_OTHERS
        if not hidden and name.isprintable() and name == name.strip() and entry.is_file():
            yield entry


def _disabled(file: Path) -> bool:
    try:
        with open_regular(file) as opened:
            content = opened.read(MAX_BYTES)
        return any(directive.name == "disable" for directive in directives.parse(content, file))
    except (OSError, OpenVpnConfigError):
        return False  # what OpenVPN makes of it isn't known: better expected than overlooked
