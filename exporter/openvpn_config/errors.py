"""Why a file of OpenVPN's can't be used.

DeploymentError
├── Unreadable      it, or a file that it includes, can't be read
└── Malformed       OpenVPN would refuse it
"""

from pathlib import Path

import msgspec

from exporter.management.text import clean

_SHOWN = 1000


class Place(msgspec.Struct, frozen=True):
    """Where something stands; `line` counts from 1 and is None for the file as a whole."""

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        """Return `file:line`, printable whatever the file's name."""
        return shown(self.file) if self.line is None else f"{shown(self.file)}:{self.line}"


class DeploymentError(Exception):
    """A file can't be used; `text` says why in one sentence, without the file's content."""

    def __init__(self, place: Place, text: str) -> None:
        """Say where and why."""
        super().__init__(f"{place}: {text}")
        self.place = place
        self.text = text


class Unreadable(DeploymentError):
    """The file can't be read."""


class Malformed(DeploymentError):
    """OpenVPN would refuse the file."""


def shown(text: str | Path) -> str:
    """Return a name from the file system as printable text."""
    return clean(str(text), _SHOWN)
