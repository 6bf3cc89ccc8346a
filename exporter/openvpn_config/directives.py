"""One file as directives: OpenVPN's lexer, inline blocks, and `--` that may begin a name."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from exporter.openvpn_config import lexer
from exporter.openvpn_config.errors import Location, SyntaxProblem, printable
from exporter.openvpn_config.lexer import LexerError
from exporter.openvpn_config.lines import LINE_LIMIT, Line, Lines

_MARK = b"\xef\xbb\xbf"
"""What some editors put before UTF-8 text."""


class Directive(msgspec.Struct, frozen=True):
    """One option as it is written.

    `inline` is what stands between `<name>` and `</name>`. `optional`: written after `setenv opt`,
    so that OpenVPN ignores it where it isn't understood.
    """

    name: str
    arguments: tuple[str, ...]
    place: Location
    inline: bytes | None = None
    optional: bool = False


def parse(content: bytes, file: Path) -> Iterator[Directive]:
    """Give the directives of a file, includes not followed.

    Raises:
        Malformed: OpenVPN would refuse the file here.
    """
    lines = Lines(content)
    for line in lines:
        place = Location(file, line.number)
        words = _words(line, place)
        if not words:
            continue
        name, *arguments = words
        name = without_dashes(name)
        if arguments or not (name.startswith("<") and name.endswith(">")):
            yield Directive(name, tuple(arguments), place)
        else:
            yield _block(name[1:-1], lines, place)


def _words(line: Line, place: Location) -> list[str]:
    if line.too_long:
        raise SyntaxProblem(place, f"the line has {LINE_LIMIT} bytes or more: OpenVPN takes fewer")
    content = line.content.removeprefix(_MARK) if line.number == 1 else line.content
    try:
        # With its line end: a backslash before that one escapes it.
        return lexer.split(os.fsdecode(content))
    except LexerError as error:
        raise SyntaxProblem(place, f"OpenVPN would refuse this line: {error}") from None


def without_dashes(name: str) -> str:
    """Return the name of an option that may be written as on a command line."""
    return name[2:] if name.startswith("--") and name != "--" else name


def _block(name: str, lines: Lines, place: Location) -> Directive:
    content = lines.block(os.fsencode(f"</{name}>"))
    if content is None:
        raise SyntaxProblem(
            place, f"<{printable(name)}> is not closed: add a line </{printable(name)}>"
        )
    return Directive(name, (), place, inline=content)
