"""The command lines with which the known systemd units start OpenVPN.

The unit is read where it is installed, with its drop-ins; its usual options otherwise.
"""

import os
import shlex
from collections.abc import Iterator, Sequence
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


def unit_options(file: Path, instance: str) -> UnitOptions:
    """Return the options with which a known unit starts this configuration."""
    directories = (os.path.normpath(file.parent), os.path.realpath(file.parent))
    template, usual = next((_UNITS[name] for name in directories if name in _UNITS), ("", ""))
    if file.suffix != ".conf" or not template:
        return UnitOptions()
    command, error = usual, None
    try:
        for source in _sources(template, instance):
            for value in _exec_start(_read(source)):
                command = value or usual
    except UnreadableFile as caught:
        error = caught
    return UnitOptions(tuple(_options(command)) or tuple(_options(usual)), error)


def _sources(template: str, instance: str) -> Iterator[Path]:
    """Yield the unit's file, then its drop-ins in the order of their names."""
    names = (f"{template}{instance}.service", f"{template}.service")
    files = (directory / name for name in names for directory in UNIT_DIRECTORIES)
    unit = next(filter(_is_there, files), None)
    if unit is not None:
        yield unit
    drop_ins: dict[str, Path] = {}
    for name in names:
        for directory in UNIT_DIRECTORIES:
            for file in _drop_ins(directory / f"{name}.d"):
                drop_ins.setdefault(file.name, file)
    yield from (drop_ins[name] for name in sorted(drop_ins))


def _is_there(file: Path) -> bool:
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # reading it gives the reason
    return True


def _drop_ins(directory: Path) -> Sequence[Path]:
    try:
        with os.scandir(directory) as entries:
            return [Path(entry.path) for entry in entries if entry.name.endswith(".conf")]
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise UnreadableFile(Location(directory), f"cannot search it: {error.strerror}") from None


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
