"""A page as one gzip stream (RFC 1952), put together from blocks that are compressed already.

A block is compressed by itself, up to a byte's end and without the mark of the last one, so that
whatever is compressed likewise can come before and behind it. That way each large family is
compressed once a poll, whoever asks for it in whichever format; what is left to do for a page is
its small families and the checksum.
"""

import itertools
import struct
import zlib
from collections.abc import Iterable, Iterator

from exporter.aio import yield_to_loop
from exporter.metrics.page import Block, Chunk, Page, slices

_LEVEL = 1
"""Our text repeats itself so much that level 6 takes five times as long to save a fifth."""

_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""Deflated; no name, no time, no hint of a system."""

_LAST_BLOCK = b"\x03\x00"
"""The empty block that ends a deflate stream."""

_LENGTH_MASK = 0xFFFFFFFF


async def gzip_page(page: Page) -> list[bytes]:
    """Return the page as a gzip stream, in pieces; gives way to others between slices of work."""
    deflated = [_HEADER]
    checksum = 0
    for block in _blocks(page.pieces):
        if block.deflated is None:
            block.deflated = await _deflate(block)
        deflated.append(block.deflated)
        checksum = await _checksum(block, checksum)
    deflated.append(_LAST_BLOCK + struct.pack("<LL", checksum, page.size & _LENGTH_MASK))
    return deflated


def _blocks(pieces: Iterable[Chunk]) -> Iterator[Block]:
    """Give the blocks of a page, and what is between them as blocks for this once."""
    for kind, run in itertools.groupby(pieces, type):
        same: list[Chunk] = list(run)
        if kind is Block:
            yield from (piece for piece in same if isinstance(piece, Block))
        else:
            yield Block([piece for piece in same if isinstance(piece, bytes)])


async def _deflate(block: Block) -> bytes:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated: list[bytes] = []
    for part in slices(block.parts):
        deflated.append(compressor.compress(part))
        await yield_to_loop()
    deflated.append(compressor.flush(zlib.Z_SYNC_FLUSH))
    return b"".join(deflated)


async def _checksum(block: Block, start: int) -> int:
    for part in slices(block.parts):
        start = zlib.crc32(part, start)
    await yield_to_loop()
    return start
