"""All patterns together: each file once, and findings about the patterns."""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from exporter.openvpn_config import patterns
from exporter.openvpn_config.checks import Finding, Kind
from exporter.openvpn_config.errors import UnreadableFile, printable
from exporter.openvpn_config.patterns import Match, Pattern

MAX_FILES = 10_000
"""Most files of all patterns together."""


def search(
    sources: Sequence[Pattern], directory: Path, *, source: str = "discover"
) -> tuple[list[Match], list[Finding]]:
    """Return each file once: by its own path if that matches, by a link otherwise.

    Relative patterns start at `directory`; `source` is the key or flag of the patterns.
    """
    files: dict[str, Match] = {}
    findings: list[Finding] = []
    for pattern in sources:
        matches = patterns.find(pattern, directory, with_directory=len(sources) > 1)
        findings.extend(map(_unsearchable, matches.unsearchable))
        if not (matches.files or matches.unsearchable or pattern.allow_empty):
            findings.append(_no_match(pattern))
        for match in matches.files:
            target = os.path.realpath(match.file)
            first = files.setdefault(target, match)
            if first.file.is_symlink() and not match.file.is_symlink():
                files[target] = match
    if len(files) > MAX_FILES:
        text = f"{len(files)} files match, only {MAX_FILES} are read: use narrower patterns"
        findings.append(Finding(kind=Kind.TOO_MANY_FILES, location=source, text=text))
    return list(itertools.islice(files.values(), MAX_FILES)), findings


def _no_match(pattern: Pattern) -> Finding:
    text = f"no file matches: {pattern.remedy}"
    return Finding(kind=Kind.NO_MATCH, location=printable(pattern.text), text=text)


def _unsearchable(error: UnreadableFile) -> Finding:
    return Finding(
        kind=Kind.UNREADABLE,
        location=error.location,
        text=f"{error.text}, so files in it are unknown",
    )
