"""Lines of a reply or of a status file, kept as the bytes in which they came.

A status of 100,000 clients has 300,000 lines, most of which are compared or counted as they are: an
object for each of them would take time, memory, and the garbage collector's attention.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, SupportsIndex, overload

CRLF = b"\r\n"

_BLOCK_SIZE = 64 * 1024
"""Bytes from which on a block is complete."""

_BLOCK_LINES = 2000
"""Lines from which on a block is complete."""


class LineBlock(NamedTuple):
    """Whole lines with their ends, LF or CR LF, and their number."""

    text: bytes
    line_count: int

    def split(self, end: int | None = None) -> list[bytes]:
        """Return the lines without their ends, or those before place `end`."""
        lines = self.split_at_lf() if end is None else self.text.split(b"\n", end)[:end]
        return [line.removesuffix(b"\r") for line in lines]

    def split_at_lf(self) -> list[bytes]:
        r"""Return the lines without their `\n`, those that end in CR LF with `\r`."""
        lines = self.text.split(b"\n")
        lines.pop()  # behind the last line end
        return lines


class ReplyLines(Sequence[bytes]):
    """Lines without their ends, in order, which are split when they are read."""

    __slots__ = ("blocks",)

    def __init__(self, blocks: tuple[LineBlock, ...]) -> None:
        self.blocks = blocks

    @staticmethod
    def of(lines: Iterable[bytes]) -> "ReplyLines":
        r"""Return lines that are split already; none of them contains `\n`."""
        builder = LinesBuilder()
        for line in lines:
            builder.add(LineBlock(line + CRLF, 1))
        return builder.build()

    @property
    def size(self) -> int:
        """The bytes of all lines, without their ends."""
        return sum(
            len(block.text) - block.text.count(CRLF) - block.line_count for block in self.blocks
        )

    def __len__(self) -> int:
        return sum(block.line_count for block in self.blocks)

    def __iter__(self) -> Iterator[bytes]:
        return itertools.chain.from_iterable(block.split() for block in self.blocks)

    @overload
    def __getitem__(self, index: SupportsIndex) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[bytes, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> bytes | tuple[bytes, ...]:
        """Return lines, of which only the blocks that have them are split."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return tuple(self)[index]
            return tuple(self._between(start, stop))
        at = range(len(self))[index]
        return next(self._between(at, at + 1))

    def _between(self, start: int, stop: int) -> Iterator[bytes]:
        first = 0
        for block in self.blocks:
            end = first + block.line_count
            if first < stop and start < end:
                yield from block.split(min(stop, end) - first)[max(start - first, 0) :]
            first = end

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"ReplyLines({len(self)})"


class LinesBuilder:
    """Lines that are collected.

    `first` is the first of them, `size` the bytes of all, their ends included.
    """

    def __init__(self) -> None:
        self.first = b""
        self.size = 0
        self._blocks: list[LineBlock] = []
        self._texts: list[bytes] = []
        self._texts_size = 0
        self._texts_count = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, block: LineBlock) -> None:
        """Add lines, at least one."""
        if not self._count:
            self.first = block.text[: block.text.index(b"\n")].removesuffix(b"\r")
        self._texts.append(block.text)
        self._texts_size += len(block.text)
        self._texts_count += block.line_count
        self._count += block.line_count
        self.size += len(block.text)
        if self._texts_size >= _BLOCK_SIZE or self._texts_count >= _BLOCK_LINES:
            self._end_block()

    def _end_block(self) -> None:
        self._blocks.append(LineBlock(b"".join(self._texts), self._texts_count))
        self._texts = []
        self._texts_size = self._texts_count = 0

    def build(self) -> ReplyLines:
        """Return all lines."""
        if self._texts:
            self._end_block()
        return ReplyLines(tuple(self._blocks))


def has_longer_line(text: bytes, limit: int) -> bool:
    """Return whether one of whole lines has more bytes: else one ends in each such stretch."""
    start = 0
    while len(text) - start > limit:
        start = text.rfind(b"\n", start, start + limit + 1) + 1
        if not start:
            return True
    return False
