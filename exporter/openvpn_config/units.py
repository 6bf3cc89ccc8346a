"""The command lines with which the known systemd units start OpenVPN.

The unit is read where it is installed, with its drop-ins; its usual options otherwise.
"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

from exporter.files import read_regular
from exporter.openvpn_config.command_line import Words
from exporter.openvpn_config.errors import Location, UnreadableFile, printable

_UNITS = {
    "/etc/openvpn/server": (
        "openvpn-server@",
        "openvpn --status %t/openvpn-server/status-%i.log --config %i.conf",
    ),
    "/etc/openvpn/client": ("openvpn-client@", "openvpn --config %i.conf"),
    "/etc/openvpn": (
        "openvpn@",
        "openvpn --status /run/openvpn/%i.status 10 --cd /etc/openvpn --config %i.conf",
    ),
}
"""The template of the unit that starts the files of a directory, and its usual command line."""

UNIT_DIRECTORIES = tuple(
    Path(directory)
    for directory in (
        "/etc/systemd/system",
        "/run/systemd/system",
        "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
    )
)
"""The directories of units, the first ones first."""

MAX_BYTES = 1 << 16
"""Most bytes of one unit or drop-in."""


class UnitOptions(msgspec.Struct, frozen=True):
    """The options of a unit's command line; `error`: a file of the unit can't be read."""

    options: tuple[Words, ...] = ()
    error: UnreadableFile | None = None


class UnitReader:
    """Reads each unit and each directory of units once."""

    def __init__(self) -> None:
        self._names: dict[Path, frozenset[str]] = {}
        self._options: dict[tuple[str, str], UnitOptions] = {}

    def options(self, file: Path, instance: str) -> UnitOptions:
        """Return the options with which a known unit starts this configuration."""
        directories = (os.path.normpath(file.parent), os.path.realpath(file.parent))
        directory = next((name for name in directories if name in _UNITS), "")
        if file.suffix != ".conf" or not directory:
            return UnitOptions()
        try:
            key = (directory, instance if self._has_own_unit(directory, instance) else "")
        except UnreadableFile:  # reading the unit gives the error again
            key = (directory, instance)
        if key not in self._options:
            self._options[key] = self._read_options(*key)
        return self._options[key]

    def _has_own_unit(self, directory: str, instance: str) -> bool:
        unit = f"{_UNITS[directory][0]}{instance}.service"
        return any(not {unit, f"{unit}.d"}.isdisjoint(self._list(at)) for at in UNIT_DIRECTORIES)

    def _read_options(self, directory: str, instance: str) -> UnitOptions:
        template, usual = _UNITS[directory]
        command, error = usual, None
        try:
            for source in self._sources(template, instance):
                for value in _exec_start(_read(source)):
                    command = value or usual
        except UnreadableFile as caught:
            error = caught
        return UnitOptions(tuple(_options(command)) or tuple(_options(usual)), error)

    def _sources(self, template: str, instance: str) -> Iterator[Path]:
        """Yield the unit's file, then its drop-ins in the order of their names."""
        names = dict.fromkeys((f"{template}{instance}.service", f"{template}.service"))
        paths = [directory / name for name in names for directory in UNIT_DIRECTORIES]
        unit = next((path for path in paths if path.name in self._list(path.parent)), None)
        if unit is not None:
            yield unit
        drop_ins: dict[str, Path] = {}
        for directory in (path.with_name(f"{path.name}.d") for path in paths):
            if directory.name in self._list(directory.parent):
                for name in self._list(directory):
                    drop_ins.setdefault(name, directory / name)
        yield from (drop_ins[name] for name in sorted(drop_ins) if name.endswith(".conf"))

    def _list(self, directory: Path) -> frozenset[str]:
        """Return the names in a directory; none if it is missing."""
        if directory not in self._names:
            try:
                with os.scandir(directory) as entries:
                    self._names[directory] = frozenset(entry.name for entry in entries)
            except (FileNotFoundError, NotADirectoryError):
                self._names[directory] = frozenset()
            except OSError as error:
                text = f"cannot search it: {error.strerror}"
                raise UnreadableFile(Location(directory), text) from None
        return self._names[directory]


def _read(file: Path) -> str:
    if os.path.realpath(file) == os.devnull:  # masked
        return ""
    try:
        return os.fsdecode(read_regular(file, MAX_BYTES))
    except OSError as error:
        text = f"cannot read {printable(file)}: {error.strerror}"
        raise UnreadableFile(Location(file), text) from None


def _exec_start(unit: str) -> Iterator[str]:
    """Yield the values of `ExecStart` in the section `Service`; an empty one is a reset."""
    section = ""
    for line in unit.replace("\\\n", " ").splitlines():
        key, _, value = line.strip().partition("=")
        if key.startswith("["):
            section = key
        elif section == "[Service]" and key.strip() == "ExecStart":
            yield value.strip()


def _options(command: str) -> Iterator[Words]:
    """Yield the options of a command that starts OpenVPN; nothing for another program."""
    try:
        program, *words = shlex.split(command)
    except ValueError:
        return
    if not Path(program.lstrip("-@:+!|")).name.startswith("openvpn"):
        return
    group: list[str] = []
    for word in words:
        if word.startswith("--"):
            if group:
                yield tuple(group)
            group = [word]
        elif group and not word.startswith("$"):  # a variable of an environment file
            group.append(word)
    if group:
        yield tuple(group)
