"""The output of commands: text to standard output or a file, tables, findings."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from exporter.cli.subcommand import CommandFailed
from exporter.files import replace_file
from exporter.openvpn_config import Finding
from exporter.openvpn_config.errors import printable


def write(content: bytes, file: Path | None) -> None:
    """Replace the file atomically, or write to standard output without one.

    Raises:
        CommandFailed: the file can't be written; the old one is untouched.
    """
    if file is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        replace_file(file, content)
    except OSError as error:
        raise CommandFailed(f"cannot write {file}: {error.strerror}") from error


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows below their head, in columns as wide as needed; an empty cell is a dash.

    Unprintable characters, as in the name of a file, are escaped.
    """
    shown = ([printable(cell) or "-" for cell in row] for row in rows)
    lines = [[word.upper() for word in head], *shown]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )


def format_findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a line for each finding, below a heading: skipped daemons first, then warnings."""
    yield from _section("Skipped daemons:", (finding for finding in findings if finding.blocks))
    yield from _section("Warnings:", (finding for finding in findings if not finding.blocks))


def _section(heading: str, findings: Iterable[Finding]) -> Iterator[str]:
    lines = [f"  {finding.daemon or 'configuration'}: {finding}" for finding in findings]
    if lines:
        yield from (heading, *lines, "")
