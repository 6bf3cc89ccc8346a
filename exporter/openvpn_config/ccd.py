"""The clients that a server's `client-config-dir` names: one file for each common name."""

import os
from collections.abc import Iterator
from pathlib import Path

from exporter.files import open_regular
from exporter.openvpn_config import directives
from exporter.openvpn_config.errors import Location, OpenVpnConfigError, UnreadableFile

MAX_CLIENTS = 20_000
"""Most files read in one directory."""

MAX_BYTES = 1 << 16
"""Most bytes read of one file."""

_DEFAULT = "DEFAULT"
"""OpenVPN reads this file for clients without a file of their own."""


def expected_clients(directory: Path) -> tuple[str, ...]:
    """Return the common names with a file in the directory, sorted, without disabled clients.

    Names that are not printable are left out; OpenVPN replaces such characters before it looks for
    the file.

    Raises:
        UnreadableFile: the directory can't be read, or holds more than `MAX_CLIENTS` files.
    """
    try:
        with os.scandir(directory) as entries:
            files = [Path(entry.path) for entry in _client_files(entries)]
    except OSError as error:
        text = f"cannot read the directory: {error.strerror}"
        raise UnreadableFile(Location(directory), text) from None
    if len(files) > MAX_CLIENTS:
        raise UnreadableFile(Location(directory), f"more than {MAX_CLIENTS} files")
    return tuple(sorted(file.name for file in files if not _is_disabled(file)))


def _client_files(entries: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    for entry in entries:
        name = entry.name
        excluded = name.startswith(".") or name == _DEFAULT
        if not excluded and name.isprintable() and name == name.strip() and entry.is_file():
            yield entry


def _is_disabled(file: Path) -> bool:
    try:
        with open_regular(file) as opened:
            content = opened.read(MAX_BYTES)
        return any(directive.name == "disable" for directive in directives.parse(content, file))
    except (OSError, OpenVpnConfigError):
        return False  # OpenVPN's own reading is unknown: rather one expected client too many
