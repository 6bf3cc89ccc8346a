"""A page of metrics as parts of text, sent one after the other.

The parts are never joined into one: a page of 10,000 clients has 7 MB, and the memory of each copy
would stay with the process.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence

import msgspec

SLICE_SIZE = 256 * 1024
"""Bytes that are handled at once, between two yields to the event loop."""


class Block(msgspec.Struct, eq=False):
    """Text in parts; its deflate form is kept after the first use."""

    parts: Sequence[bytes]
    deflated: bytes | None = None

    @property
    def size(self) -> int:
        """The bytes of the text."""
        return sum(map(len, self.parts))


class Page(msgspec.Struct, frozen=True):
    """The response to a scrape: its text, as blocks one after the other, and its Content-Type."""

    blocks: tuple[Block, ...]
    content_type: str

    @property
    def size(self) -> int:
        """The bytes of the text."""
        return sum(block.size for block in self.blocks)

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
