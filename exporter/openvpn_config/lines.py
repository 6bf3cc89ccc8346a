"""A file's bytes as the lines that OpenVPN takes from it.

OpenVPN reads with `fgets` into 256 bytes (OPTION_LINE_SIZE). That has consequences which are kept
here: a directive's line has at most 255 bytes with its line end, and inside an inline block a long
line counts as several, any of which may close the block.
"""

from collections.abc import Iterator

import msgspec

LINE_LIMIT = 256
"""Bytes, line end included, at which a directive's line is too long: OPTION_LINE_SIZE."""

_BLOCK_LIMIT = LINE_LIMIT - 1
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
    """Gives the lines of one file, one after the other."""

    def __init__(self, content: bytes) -> None:
        """Take all that the file holds."""
        self._content = content
        self._position = 0
        self._number = 1

    def __iter__(self) -> Iterator[Line]:
        """Give lines until the end of the file, also between blocks taken by `block`."""
        while self._position < len(self._content):
            number = self._number
            yield Line(self._take(LINE_LIMIT), number)

    def block(self, end: bytes) -> bytes | None:
        """Take the lines before the one that begins with `end`, blanks aside, and that one, too.

        None: no line does.
        """
        start = self._position
        while self._position < len(self._content):
            before = self._position
            if self._take(_BLOCK_LIMIT).lstrip(_BLANKS).startswith(end):
                return self._content[start:before]
        return None

    def _take(self, limit: int) -> bytes:
        line_end = self._content.find(b"\n", self._position, self._position + limit)
        end = self._position + limit if line_end < 0 else line_end + 1
        taken = self._content[self._position : end]
        self._position += len(taken)
        self._number += line_end >= 0
        return taken.partition(b"\0")[0]
