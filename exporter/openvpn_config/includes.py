"""A configuration file and the files that it includes, in the order in which OpenVPN reads them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from exporter.files import FileTooLargeError, read_regular
from exporter.openvpn_config import directives
from exporter.openvpn_config.directives import Directive
from exporter.openvpn_config.errors import Location, SyntaxProblem, UnreadableFile, printable

MAX_LEVELS = 10
"""Most nested files; OpenVPN has the same limit, which also ends loops."""

MAX_BYTES = 4 << 20
"""Most bytes of one configuration, includes counted."""

_SETENV_OPT = ("setenv", "opt")


class ResolvedConfig(msgspec.Struct, frozen=True):
    """All directives in order, with every `config` and `cd` followed.

    `directory` is the final base of relative paths; `files` are the files that were read, the
    configuration itself first.
    """

    directives: tuple[Directive, ...]
    directory: Path
    files: tuple[Path, ...]


def read(file: Path, command_line: Sequence[Directive] = ()) -> ResolvedConfig:
    """Read `file` as OpenVPN does when started in the file's directory, as by Debian's units.

    The options of the command line come after the file, unless one of them is its `config`.

    Raises:
        UnreadableFile: the file or an include can't be read.
        SyntaxProblem: OpenVPN refuses it.
    """
    reader = _IncludeReader(file.parent)
    if not any(_is_config(option, file) for option in command_line):
        reader.include(file, Location(file), level=1)
    for option in command_line:
        if _is_config(option, file):
            reader.include(file, Location(file), level=1)
        else:
            reader.apply(option, level=0)
    parts = dict.fromkeys(reader.files)
    parts.pop(file)
    return ResolvedConfig(tuple(reader.directives), reader.directory, (file, *parts))


def _is_config(option: Directive, file: Path) -> bool:
    """Return whether an option of the command line names the configuration itself."""
    name = Path(*option.arguments[:1]).name
    return option.name == "config" and name == file.name


class _IncludeReader:
    """Follows includes within the limits of depth and size."""

    def __init__(self, directory: Path) -> None:
        self.directives: list[Directive] = []
        self.directory = directory
        self.files: list[Path] = []
        self._bytes_left = MAX_BYTES

    def include(self, file: Path, location: Location, *, level: int) -> None:
        if level > MAX_LEVELS:
            text = f"includes are nested more than {MAX_LEVELS} deep: a loop?"
            raise SyntaxProblem(location, text)
        content = self._read(file, location)
        self.files.append(file)
        for directive in directives.parse(content, file):
            self.apply(_strip_setenv_opt(directive), level=level)

    def apply(self, directive: Directive, *, level: int) -> None:
        match directive.name, directive.arguments:
            case "config", (name,):
                self.include(self.directory / name, directive.location, level=level + 1)
            case "cd", (name,):
                self.directory /= name
            case _:
                self.directives.append(directive)

    def _read(self, file: Path, location: Location) -> bytes:
        try:
            content = read_regular(file, self._bytes_left)
        except FileTooLargeError:
            text = f"more than {MAX_BYTES >> 20} MiB, includes counted"
            raise UnreadableFile(location, text) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            what = "the file" if location.file == file else printable(file)
            raise UnreadableFile(location, f"cannot read {what}: {reason}") from None
        self._bytes_left -= len(content)
        return content


def _strip_setenv_opt(directive: Directive) -> Directive:
    """Return the directive after `setenv opt`, which older versions of OpenVPN may not know."""
    name, *arguments = (directive.name, *directive.arguments)
    if len(arguments) > 1 and (name, arguments[0]) == _SETENV_OPT:
        return msgspec.structs.replace(
            directive, name=arguments[1], arguments=tuple(arguments[2:]), optional=True
        )
    return directive
