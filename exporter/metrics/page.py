"""A page of metrics as parts of text, sent one after the other.

The parts are never joined into one: a page of 10,000 clients has 7 MB, and the memory of each copy
would stay with the process.
"""

import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence

import msgspec

SLICE_SIZE = 256 * 1024
"""Bytes that are handled at once, between two yields to the event loop."""


class JoinedLines:
    """Lines of many daemons that are put together each time that they are read.

    A thousand daemons have 20 MB of them, of which nearly all parts are the same objects.
    """

    def __init__(self) -> None:
        self._labels: list[bytes] = []
        self._lines: list[Sequence[bytes]] = []

    def add(self, label: bytes, lines: Sequence[bytes]) -> None:
        """Add lines that `label` joins."""
        self._labels.append(label)
        self._lines.append(lines)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the text of all lines that were added at once."""
        return map(bytes.join, self._labels, self._lines)


class Block(msgspec.Struct, eq=False):
    """Text in parts; its deflate form is kept after the first use."""

    parts: Iterable[bytes]
    deflated: bytes | None = None


class Page(msgspec.Struct, frozen=True):
    """The response to a scrape: its text, as blocks one after the other, and its Content-Type."""

    blocks: tuple[Block, ...]
    content_type: str

    def size(self) -> Generator[None, None, int]:
        """Return the bytes of the text, yielding after each slice."""
        size = 0
        for part in self.slices():
            size += len(part)
            yield
        return size

    @property
    def body(self) -> bytes:
        """The text, joined."""
        return b"".join(self._parts())

    def slices(self) -> Iterator[bytes | memoryview]:
        """Yield the text in slices of at most `SLICE_SIZE`."""
        return slices(self._parts())

    def _parts(self) -> Iterable[bytes]:
        return itertools.chain.from_iterable(block.parts for block in self.blocks)


def slices(parts: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Join small parts and cut large ones, so that each slice has at most `SLICE_SIZE` bytes."""
    small: list[bytes] = []
    size = 0
    for part in parts:
        if size + len(part) > SLICE_SIZE:
            yield b"".join(small)
            small, size = [], 0
        if len(part) > SLICE_SIZE:
            view = memoryview(part)
            yield from (view[at : at + SLICE_SIZE] for at in range(0, len(part), SLICE_SIZE))
        else:
            small.append(part)
            size += len(part)
    yield b"".join(small)
