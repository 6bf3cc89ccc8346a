"""A configuration file and everything it includes, in the order in which OpenVPN takes it."""

from pathlib import Path

import msgspec

from exporter.files import FileTooLargeError, read_regular
from exporter.openvpn_config import directives
from exporter.openvpn_config.directives import Directive
from exporter.openvpn_config.errors import Location, SyntaxProblem, UnreadableFile, printable

MAX_LEVELS = 10
"""Files open within each other at most; OpenVPN has the same limit, which ends loops, too."""

MAX_BYTES = 4 << 20
"""Bytes read for one configuration, all includes together."""

_OPTIONAL = ("setenv", "opt")


class ResolvedConfig(msgspec.Struct, frozen=True):
    """All directives in order, `config` and `cd` already followed.

    `directory` is where relative paths start in the end; `files` are all that were read.
    """

    directives: tuple[Directive, ...]
    directory: Path
    files: tuple[Path, ...]


def read(file: Path) -> ResolvedConfig:
    """Read `file` as OpenVPN would when started in its directory, as Debian's units do.

    Raises:
        Unreadable: it or an include can't be read.
        Malformed: OpenVPN would refuse it.
    """
    reader = _Reader(file.parent)
    reader.include(file, Location(file), level=1)
    return ResolvedConfig(tuple(reader.directives), reader.directory, tuple(reader.files))


class _Reader:
    """Follows includes, and remembers how much was read."""

    def __init__(self, directory: Path) -> None:
        self.directives: list[Directive] = []
        self.directory = directory
        self.files: list[Path] = []
        self._bytes_left = MAX_BYTES

    def include(self, file: Path, place: Location, *, level: int) -> None:
        if level > MAX_LEVELS:
            raise SyntaxProblem(place, f"includes are nested more than {MAX_LEVELS} deep: a loop?")
        content = self._read(file, place)
        self.files.append(file)
        for written in directives.parse(content, file):
            self._take(_unwrapped(written), level)

    def _take(self, directive: Directive, level: int) -> None:
        match directive.name, directive.arguments:
            case "config", (name,):
                self.include(self.directory / name, directive.place, level=level + 1)
            case "cd", (name,):
                self.directory /= name
            case _:
                self.directives.append(directive)

    def _read(self, file: Path, place: Location) -> bytes:
        try:
            content = read_regular(file, self._bytes_left)
        except FileTooLargeError:
            text = f"more than {MAX_BYTES >> 20} MiB with all it includes"
            raise UnreadableFile(place, text) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            what = "it" if place.file == file else printable(file)
            raise UnreadableFile(place, f"cannot read {what}: {reason}") from None
        self._bytes_left -= len(content)
        return content


def _unwrapped(directive: Directive) -> Directive:
    """Take `setenv opt` off: what follows is a directive that older versions may not know."""
    name, *arguments = (directive.name, *directive.arguments)
    if len(arguments) > 1 and (name, arguments[0]) == _OPTIONAL:
        return msgspec.structs.replace(
            directive, name=arguments[1], arguments=tuple(arguments[2:]), optional=True
        )
    return directive
