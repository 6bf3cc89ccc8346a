"""Locations in OpenVPN's configuration files, and the errors of reading them.

OpenVpnConfigError
├── UnreadableFile      the file, or a file that it includes, can't be read
└── SyntaxProblem       OpenVPN refuses the file
"""

from pathlib import Path

import msgspec

from exporter.management.values import clean

_MAX_NAME_LENGTH = 1000


class Location(msgspec.Struct, frozen=True):
    """A file and a line in it; `line` counts from 1 and is None for the whole file."""

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        """Return `file:line`, printable whatever the file's name."""
        return printable(self.file) if self.line is None else f"{printable(self.file)}:{self.line}"


class OpenVpnConfigError(Exception):
    """A file can't be used; `text` is the reason in one sentence, without the file's content."""

    def __init__(self, location: Location, text: str) -> None:
        super().__init__(f"{location}: {text}")
        self.location = location
        self.text = text


class UnreadableFile(OpenVpnConfigError):
    """The file can't be read."""


class SyntaxProblem(OpenVpnConfigError):
    """OpenVPN refuses the file."""


def printable(text: str | Path) -> str:
    """Return a name from the file system as printable text."""
    return clean(str(text), _MAX_NAME_LENGTH)
