"""A page: parts of text, ready to be sent one after the other.

It is never joined into one: a page of ten thousand clients has seven megabytes, and each copy of
it would stay in the process's memory for good.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

SLICE_SIZE = 256 * 1024
"""Bytes that are handled at once, between giving way to others."""


class Block:
    """Text that stays until the next poll, and what it is compressed, once somebody asked."""

    __slots__ = ("deflated", "parts", "size")

    def __init__(self, parts: Sequence[bytes]) -> None:
        """Keep some text; nobody has asked for it compressed yet."""
        self.parts = parts
        self.size = sum(map(len, parts))
        self.deflated: bytes | None = None


Chunk = bytes | Block


class Page(msgspec.Struct, frozen=True):
    """What a scrape is answered with, and its Content-Type."""

    pieces: tuple[Chunk, ...]
    content_type: str

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return sum(piece.size if isinstance(piece, Block) else len(piece) for piece in self.pieces)

    @property
    def body(self) -> bytes:
        """The whole, joined."""
        return b"".join(self._parts())

    def slices(self) -> Iterator[bytes | memoryview]:
        """Give the text in slices of at most `SLICE_SIZE`."""
        return slices(self._parts())

    def _parts(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Block):
                yield from piece.parts
            else:
                yield piece


def slices(parts: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Join small parts and cut large ones, so that each has at most `SLICE_SIZE` bytes."""
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
