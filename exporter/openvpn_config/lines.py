"""A file's bytes as lines, cut where OpenVPN cuts them.

OpenVPN reads with `fgets` into 256 bytes (OPTION_LINE_SIZE). A directive's line therefore has at
most 255 bytes with its line end, and inside an inline block a long line counts as several, any of
which may close the block.
"""

from collections.abc import Iterator

import msgspec

LINE_LIMIT = 256
"""Bytes, line end included, at which a directive's line is too long: OPTION_LINE_SIZE."""

_BLOCK_LINE_LIMIT = LINE_LIMIT - 1
_BLANKS = b" \t\n\v\f\r"


class Line(msgspec.Struct, frozen=True):
    """One line with its line end, up to its first NUL; `number` counts from 1."""

    content: bytes
    number: int

    @property
    def too_long(self) -> bool:
        """Whether OpenVPN refuses it as a directive's line."""
        return len(self.content) == LINE_LIMIT


class Lines:
    """An iterator over the lines of one file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0
        self._number = 1

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines up to the end of the file, except those that `read_block` returns."""
        while self._position < len(self._content):
            number = self._number
            yield Line(self._next_line(LINE_LIMIT), number)

    def read_block(self, end: bytes) -> bytes | None:
        """Return the lines before the line that starts with `end`, blanks aside, and skip that one.

        None: no line starts with it.
        """
        start = self._position
        while self._position < len(self._content):
            before = self._position
            if self._next_line(_BLOCK_LINE_LIMIT).lstrip(_BLANKS).startswith(end):
                return self._content[start:before]
        return None

    def _next_line(self, limit: int) -> bytes:
        line_end = self._content.find(b"\n", self._position, self._position + limit)
        end = self._position + limit if line_end < 0 else line_end + 1
        line = self._content[self._position : end]
        self._position += len(line)
        self._number += line_end >= 0
        return line.partition(b"\0")[0]
