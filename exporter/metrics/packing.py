"""A page as one gzip stream (RFC 1952), put together from blocks that are compressed already.

A block is compressed by itself, up to a byte's end and without the mark of the last one, so that
whatever is compressed likewise can come before and behind it. That way each large family is
compressed once a poll, whoever asks for it in whichever format; what is left to do for a page is
its small families and the checksum.
"""

import struct
import zlib

from exporter.daemon.turns import give_way
from exporter.metrics.page import Block, Page, slices

_LEVEL = 1
"""Our text repeats itself so much that level 6 takes five times as long to save a fifth."""

_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""Deflated; no name, no time, no hint of a system."""

_LAST_BLOCK = b"\x03\x00"
"""The empty block that ends a deflate stream."""

_LENGTH_MASK = 0xFFFFFFFF


async def pack(page: Page) -> list[bytes]:
    """Return the page as a gzip stream, in pieces; gives way to others between slices of work."""
    packed = [_HEADER]
    checksum = length = 0
    for piece in page.pieces:
        if isinstance(piece, Block):
            if piece.packed is None:
                piece.packed = await _deflate(piece.text)
            text, deflated = piece.text, piece.packed
        else:
            text, deflated = piece, await _deflate(piece)
        packed.append(deflated)
        length += len(text)
        checksum = await _checksum(text, checksum)
    packed.append(_LAST_BLOCK + struct.pack("<LL", checksum, length & _LENGTH_MASK))
    return packed


async def _deflate(text: bytes) -> bytes:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts: list[bytes] = []
    for part in slices(text):
        parts.append(compressor.compress(part))
        await give_way()
    parts.append(compressor.flush(zlib.Z_SYNC_FLUSH))
    return b"".join(parts)


async def _checksum(text: bytes, start: int) -> int:
    for part in slices(text):
        start = zlib.crc32(part, start)
    await give_way()
    return start
