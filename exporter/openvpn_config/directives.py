"""One file as directives: OpenVPN's lexer, inline blocks, and optional leading dashes."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from exporter.openvpn_config import lexer
from exporter.openvpn_config.errors import Location, SyntaxProblem, printable
from exporter.openvpn_config.lexer import LexerError
from exporter.openvpn_config.lines import LINE_LIMIT, Line, Lines

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Directive(msgspec.Struct, frozen=True):
    """One option as written.

    `inline` is the content between `<name>` and `</name>`. `optional`: written after `setenv opt`,
    so that OpenVPN ignores the option if its version does not know it.
    """

    name: str
    arguments: tuple[str, ...]
    location: Location
    inline: bytes | None = None
    optional: bool = False


def parse(content: bytes, file: Path) -> Iterator[Directive]:
    """Yield the directives of a file; includes are not followed.

    Raises:
        SyntaxProblem: OpenVPN refuses the file here.
    """
    lines = Lines(content)
    for line in lines:
        location = Location(file, line.number)
        words = _split(line, location)
        if not words:
            continue
        name, *arguments = words
        name = without_dashes(name)
        if arguments or not (name.startswith("<") and name.endswith(">")):
            yield Directive(name, tuple(arguments), location)
        else:
            yield _inline_block(name[1:-1], lines, location)


def _split(line: Line, location: Location) -> list[str]:
    if line.too_long:
        text = f"the line has {LINE_LIMIT} bytes or more, which OpenVPN refuses"
        raise SyntaxProblem(location, text)
    content = line.content.removeprefix(_BYTE_ORDER_MARK) if line.number == 1 else line.content
    try:
        # The line end is included: a backslash before it escapes it.
        return lexer.split(os.fsdecode(content))
    except LexerError as error:
        raise SyntaxProblem(location, f"OpenVPN refuses this line: {error}") from None


def without_dashes(name: str) -> str:
    """Return the name of an option without the two dashes of the command line."""
    return name[2:] if name.startswith("--") and name != "--" else name


def _inline_block(name: str, lines: Lines, location: Location) -> Directive:
    content = lines.read_block(os.fsencode(f"</{name}>"))
    if content is None:
        text = f"<{printable(name)}> is not closed: add a line </{printable(name)}>"
        raise SyntaxProblem(location, text)
    return Directive(name, (), location, inline=content)
