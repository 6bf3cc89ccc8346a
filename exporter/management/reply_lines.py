"""The lines of a reply of several lines, until it is complete."""

import itertools
from collections.abc import Sequence

_CHUNK = 2000
"""Lines of which a tuple is made."""


class ReplyLines:
    """Lines in order; `first` is the first of them, `size` the number of their bytes.

    They are kept in tuples: the garbage collector looks at each item of a list, again and again,
    which would hold the event loop while a daemon sends 400,000 lines.
    """

    def __init__(self) -> None:
        self.first = b""
        self.size = 0
        self._full: list[tuple[bytes, ...]] = []
        self._last: list[bytes] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, lines: Sequence[bytes]) -> None:
        """Add lines, at least one."""
        if not self._count:
            self.first = lines[0]
        self._last += lines
        self._count += len(lines)
        self.size += sum(map(len, lines))
        if len(self._last) >= _CHUNK:
            self._full.append(tuple(self._last))
            self._last = []

    def join(self) -> tuple[bytes, ...]:
        """Return all lines."""
        return tuple(itertools.chain(*self._full, self._last))
