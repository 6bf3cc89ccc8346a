"""Patterns of file names: the files that match, and the names of their daemons.

Names depend on the patterns alone, never on which files exist: a daemon has the name that the
wildcards of its pattern cover.
"""

import errno
import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from exporter.management.values import clean
from exporter.openvpn_config.errors import Location, UnreadableFile

NAME_LIMIT = 64
"""Characters of a name, as for every daemon."""

_WILDCARD = re.compile(r"[*?]|\[!?\]?[^\]]*\]")
_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})


class Pattern(msgspec.Struct, frozen=True):
    """A pattern of file names, by default of configuration files.

    `options` are those that a service manager adds on the command line; None: those of the known
    units. `allow_empty`: a pattern without a file is normal. `suffixes` are not part of a name.
    `remedy`: what to do if no file matches.
    """

    text: str
    options: str | None = None
    allow_empty: bool = False
    suffixes: tuple[str, ...] = (".conf", ".ovpn")
    remedy: str = "correct the pattern, or set `allow_empty: true` for it"


class Match(msgspec.Struct, frozen=True):
    """A file that matches, the name of its daemon, and its instance (`%i` in a unit)."""

    file: Path
    name: str
    instance: str
    pattern: Pattern


class Matches(msgspec.Struct, frozen=True):
    """The files of one pattern, sorted, and the directories that can't be searched."""

    files: tuple[Match, ...]
    unsearchable: tuple[UnreadableFile, ...]


def has_wildcard(text: str) -> bool:
    """Return whether a path is a pattern that can match several files."""
    return bool(_WILDCARD.search(text))


def name_of(path: Path, suffixes: Sequence[str]) -> str:
    """Return the name of the daemon of a path without wildcards."""
    return _clean(_without_suffix(path.name, suffixes))


def find(pattern: Pattern, directory: Path, *, with_directory: bool) -> Matches:
    """Return the files of a pattern; a relative one starts at `directory`.

    `with_directory` puts the pattern's own directory in front of each name.
    """
    parts = Path(os.path.join(os.path.abspath(directory), pattern.text)).parts  # noqa: PTH118, PTH100
    search = _Search()
    files = sorted(search.expand(parts[0], parts[1:]))
    prefix = _own_directory(parts) if with_directory else ""
    return Matches(
        tuple(_match(Path(file), parts, prefix=prefix, pattern=pattern) for file in files),
        tuple(search.unsearchable),
    )


class _Search:
    """Expands a pattern as the shell does, but records each directory that can't be searched."""

    def __init__(self) -> None:
        self.unsearchable: list[UnreadableFile] = []

    def expand(self, directory: str, parts: Sequence[str]) -> Iterator[str]:
        if not parts:
            yield directory
            return
        for name in self._names(directory, parts[0]):
            yield from self.expand(os.path.join(directory, name), parts[1:])  # noqa: PTH118

    def _names(self, directory: str, part: str) -> Sequence[str]:
        path = directory
        try:
            if not _WILDCARD.search(part):
                path = os.path.join(directory, part)  # noqa: PTH118
                os.lstat(path)
                return (part,)
            with os.scandir(directory) as entries:
                names = [entry.name for entry in entries]
        except OSError as error:
            if error.errno not in _MISSING:
                text = f"cannot search it: {error.strerror}"
                self.unsearchable.append(UnreadableFile(Location(Path(path)), text))
            return ()
        hidden = part.startswith(".")
        return [name for name in fnmatch.filter(names, part) if hidden or not name.startswith(".")]


def _match(path: Path, parts: Sequence[str], *, prefix: str, pattern: Pattern) -> Match:
    pairs = [pair for pair in zip(path.parts, parts, strict=True) if _WILDCARD.search(pair[1])]
    suffixes = pattern.suffixes
    covered = "/".join(_covered(*pair, suffixes) for pair in pairs) or _without_suffix(
        path.name, suffixes
    )
    in_file_name = not pairs or bool(_WILDCARD.search(parts[-1]))
    instance = path.stem if in_file_name else covered.replace("/", "-")
    return Match(path, _clean(f"{prefix}{covered}"), instance, pattern)


def _covered(name: str, part: str, suffixes: Sequence[str]) -> str:
    """Return the text from the first wildcard of the part to the last one."""
    wildcards = list(_WILDCARD.finditer(part))
    after = len(part) - wildcards[-1].end()
    covered = name[wildcards[0].start() : len(name) - after]
    whole = covered if after else _without_suffix(covered, suffixes)
    return whole or _without_suffix(name, suffixes)


def _without_suffix(name: str, suffixes: Sequence[str]) -> str:
    for suffix in suffixes:
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name


def _own_directory(parts: Sequence[str]) -> str:
    """Return the last directory before the first wildcard, with a slash."""
    literal = [*parts[:-1]]
    for index, part in enumerate(literal):
        if _WILDCARD.search(part):
            del literal[index:]
            break
    name = Path(os.path.normpath(os.path.join(*literal))).name  # noqa: PTH118
    return f"{name}/" if name else ""


def _clean(text: str) -> str:
    return clean(text.strip(), NAME_LIMIT).strip() or "unnamed"
