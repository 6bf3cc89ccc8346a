"""A page as one gzip stream (RFC 1952), made of blocks that are compressed one by one.

The deflate form of a block ends at a byte boundary and is not marked as the last one, so that the
forms of several blocks in a row are one deflate stream. A large family is compressed once per poll,
for all scrapes and both formats. A scrape compresses the small families and computes the checksum.
"""

import struct
import zlib
from collections.abc import Generator

from exporter.metrics.page import Block, Page, slices

_LEVEL = 1
"""The text is so repetitive that level 6 takes five times as long to save a fifth."""

_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""Method deflate; no name, no time, unknown operating system."""

_LAST_BLOCK = b"\x03\x00"
"""The empty block that ends a deflate stream."""

_LENGTH_MASK = 0xFFFFFFFF


def gzip_page(page: Page) -> Generator[None, None, list[bytes]]:
    """Return the page as a gzip stream in parts, yielding after each slice."""
    stream = [_HEADER]
    checksum = 0
    for block in page.blocks:
        if block.deflated is None:
            block.deflated = yield from _deflate(block)
        stream.append(block.deflated)
        for part in slices(block.parts):
            checksum = zlib.crc32(part, checksum)
            yield
    stream.append(_LAST_BLOCK + struct.pack("<LL", checksum, page.size & _LENGTH_MASK))
    return stream


def _deflate(block: Block) -> Generator[None, None, bytes]:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated: list[bytes] = []
    for part in slices(block.parts):
        deflated.append(compressor.compress(part))
        yield
    deflated.append(compressor.flush(zlib.Z_SYNC_FLUSH))
    return b"".join(deflated)
