"""A page of metrics as parts of text, sent one after the other.

The parts are never joined into one: a page of 10,000 clients has 7 MB, and the memory of each copy
would stay with the process.
"""

import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence

import msgspec

SLICE_SIZE = 256 * 1024
"""Bytes that are handled at once, between two yields to the event loop."""


class Deflated(msgspec.Struct, eq=False):
    """The deflate form of a text, with the size and the checksum (CRC-32) of the text.

    It is empty, `data` is None, until the text is compressed for the first time. Pages on which the
    text is the same share it.
    """

    data: bytes | None = None
    checksum: int = 0
    size: int = 0


class Block(msgspec.Struct, eq=False):
    """Text in parts, and its deflate form."""

    parts: Iterable[bytes]
    deflated: Deflated = msgspec.field(default_factory=Deflated)


class Chain(msgspec.Struct, frozen=True):
    """Parts of text from several sources, which are made each time that they are read."""

    sources: Sequence[Iterable[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts of each source."""
        return itertools.chain.from_iterable(self.sources)


class Page(msgspec.Struct, frozen=True):
    """The response to a scrape: its text, as blocks one after the other, and its Content-Type."""

    blocks: tuple[Block, ...]
    content_type: str

    def size(self) -> Generator[None, None, int]:
        """Return the bytes of the text, yielding after each slice of what is not known."""
        size = 0
        for block in self.blocks:
            size += block.deflated.size
            for part in slices(block.parts) if block.deflated.data is None else ():
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
