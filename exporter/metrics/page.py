"""A page: pieces of text, ready to be sent one after the other.

It is never joined into one: a page of ten thousand clients has seven megabytes, and each copy of
it would stay in the process's memory for good.
"""

from collections.abc import Iterable, Iterator

import msgspec

BLOCK_SIZE = 16 * 1024
"""Bytes from which on text is worth keeping its compressed form."""

SLICE_SIZE = 256 * 1024
"""Bytes that are handled at once, between giving way to others."""


class Block:
    """Text that stays until the next poll, and what it is compressed, once somebody asked."""

    __slots__ = ("packed", "text")

    def __init__(self, text: bytes) -> None:
        """Keep some text; nobody has asked for it compressed yet."""
        self.text = text
        self.packed: bytes | None = None


Piece = bytes | Block


class Page(msgspec.Struct, frozen=True):
    """What a scrape is answered with, and its Content-Type."""

    pieces: tuple[Piece, ...]
    content_type: str

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return sum(map(len, self.texts()))

    @property
    def body(self) -> bytes:
        """The whole, joined."""
        return b"".join(self.texts())

    def texts(self) -> Iterator[bytes]:
        """Give the text of each piece."""
        return (piece.text if isinstance(piece, Block) else piece for piece in self.pieces)

    def slices(self) -> Iterator[memoryview]:
        """Give the text in slices of at most `SLICE_SIZE`, without copying it."""
        return (part for text in self.texts() for part in slices(text))


def slices(text: bytes) -> Iterator[memoryview]:
    """Give a text in slices of at most `SLICE_SIZE`, without copying it."""
    view = memoryview(text)
    return (view[start : start + SLICE_SIZE] for start in range(0, len(text), SLICE_SIZE))


def gathered(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join neighbours that are no blocks, so that a page has few pieces, and none is huge."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if isinstance(piece, Block):
            yield from _joined(small)
            yield piece
        else:
            small.append(piece)
            size += len(piece)
            if size < SLICE_SIZE:
                continue
            yield from _joined(small)
        size = 0
    yield from _joined(small)


def _joined(small: list[bytes]) -> Iterator[bytes]:
    if small:
        yield b"".join(small)
        small.clear()
