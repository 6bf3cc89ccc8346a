"""`--openvpn.status-file`: paths and patterns of status files, each perhaps after `NAME=`."""

import collections
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from exporter.config.errors import Problem
from exporter.config.schema import DAEMON_NAME
from exporter.openvpn_config import Finding, Pattern
from exporter.openvpn_config.errors import printable
from exporter.openvpn_config.patterns import has_wildcard, name_of
from exporter.openvpn_config.search import search

FLAG = "--openvpn.status-file"

_SUFFIXES = (".log", ".status", ".txt")
"""Suffixes of status files, which are not part of a daemon's name."""


class NamedStatusFile(msgspec.Struct, frozen=True):
    """A status file, and the name of its daemon."""

    name: str
    path: Path

    def __str__(self) -> str:
        return printable(self.path)


class StatusFiles(msgspec.Struct, frozen=True):
    """Status files, and what is wrong with values or patterns.

    `matched` are the patterns that match a file, `of_patterns` the files that they match.
    """

    files: tuple[NamedStatusFile, ...] = ()
    of_patterns: frozenset[Path] = frozenset()
    matched: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Value(msgspec.Struct, frozen=True):
    """`NAME=PATH`, or a path with an empty name; the path may be a pattern."""

    name: str
    path: str

    @property
    def is_pattern(self) -> bool:
        return has_wildcard(self.path)


def find_status_files(texts: Iterable[str], taken_names: Collection[str] = ()) -> StatusFiles:
    """Return the status files of the values; `taken_names` are the names of other daemons.

    A file of a path, or of a named pattern, is not one of the patterns without a name.
    """
    values, problems = _parse_all(texts)
    unnamed = _search([value for value in values if value.is_pattern and not value.name])
    named = [_search([value]) for value in values if value.is_pattern and value.name]
    explicit = [_file(value) for value in values if not value.is_pattern]
    explicit += [file for found in named for file in found.files]
    real_paths = collections.Counter(os.path.realpath(file.path) for file in explicit)
    problems += [f"{path} is given twice: keep one" for path, n in real_paths.items() if n > 1]
    files = [*explicit]
    files += [file for file in unnamed.files if os.path.realpath(file.path) not in real_paths]
    problems += _name_conflicts(files, taken_names)
    found = (unnamed, *named)
    return StatusFiles(
        tuple(files),
        of_patterns=frozenset().union(*(each.of_patterns for each in found)),
        matched=frozenset().union(*(each.matched for each in found)),
        findings=tuple(finding for each in found for finding in each.findings),
        problems=(
            *(Problem(source=FLAG, text=text) for text in problems),
            *(problem for each in named for problem in each.problems),
        ),
    )


def _parse_all(texts: Iterable[str]) -> tuple[list[_Value], list[str]]:
    """Return the values, and what is wrong with the others."""
    values: list[_Value] = []
    problems: list[str] = []
    for text in texts:
        try:
            values.append(_parse(text))
        except ValueError as error:
            problems.append(str(error))
    return values, problems


def _parse(text: str) -> _Value:
    """Return one value; raises ValueError."""
    name, equals, path = text.partition("=")
    if not equals or text.startswith(("/", "./", "../")):
        name, path = "", text
    elif not name:
        raise ValueError(f"{text!r} has no name: write NAME=PATH, or the path alone")
    if not path.strip() or not path.isprintable():
        raise ValueError(f"{text!r} is no path: write PATH or NAME=PATH")
    if name:
        DAEMON_NAME.check(name)
    return _Value(name, path)


def _file(value: _Value) -> NamedStatusFile:
    path = Path(value.path).absolute()
    return NamedStatusFile(value.name or name_of(path, _SUFFIXES), path)


def _search(values: Sequence[_Value]) -> StatusFiles:
    """Return the files of patterns without a name, or of one with a name."""
    patterns = [
        Pattern(value.path, suffixes=_SUFFIXES, remedy="correct the pattern") for value in values
    ]
    matches, findings = search(patterns, Path(), source=FLAG)
    name = values[0].name if values else ""
    if name and len(matches) > 1:
        text = f"{name}={values[0].path} matches {len(matches)} files: name one, or remove the name"
        return StatusFiles(problems=(Problem(source=FLAG, text=text),))
    return StatusFiles(
        tuple(NamedStatusFile(name or match.name, match.file) for match in matches),
        of_patterns=frozenset(match.file for match in matches),
        matched=frozenset(printable(match.pattern.text) for match in matches),
        findings=tuple(findings),
    )


def _name_conflicts(
    files: Iterable[NamedStatusFile], taken_names: Collection[str]
) -> Iterator[str]:
    """Yield a problem for each file whose daemon has the name of another one."""
    by_name: dict[str, NamedStatusFile] = {}
    for file in files:
        first = by_name.setdefault(file.name, file)
        if first is not file:
            yield f"{first} and {file} have the same name {file.name!r}: write NAME=PATH"
        elif file.name in taken_names:
            yield f"{file} has the name of a discovered daemon, {file.name!r}: write NAME=PATH"
