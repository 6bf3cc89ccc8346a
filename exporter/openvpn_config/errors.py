"""Why a file of OpenVPN's can't be used.

OpenVpnConfigError
├── Unreadable      it, or a file that it includes, can't be read
└── Malformed       OpenVPN would refuse it
"""

from pathlib import Path

import msgspec

from exporter.management.values import clean

_SHOWN = 1000


class Location(msgspec.Struct, frozen=True):
    """Where something stands; `line` counts from 1 and is None for the file as a whole."""

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        """Return `file:line`, printable whatever the file's name."""
        return printable(self.file) if self.line is None else f"{printable(self.file)}:{self.line}"


class OpenVpnConfigError(Exception):
    """A file can't be used; `text` says why in one sentence, without the file's content."""

    def __init__(self, place: Location, text: str) -> None:
        """Say where and why."""
        super().__init__(f"{place}: {text}")
        self.place = place
        self.text = text


class UnreadableFile(OpenVpnConfigError):
    """The file can't be read."""


class SyntaxProblem(OpenVpnConfigError):
    """OpenVPN would refuse the file."""


def printable(text: str | Path) -> str:
    """Return a name from the file system as printable text."""
    return clean(str(text), _SHOWN)
