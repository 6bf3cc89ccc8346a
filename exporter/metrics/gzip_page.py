"""A page as one gzip stream (RFC 1952), made of blocks that are compressed one by one.

The deflate form of a block ends at a byte boundary and is not marked as the last one, so that the
forms of several blocks in a row are one deflate stream. A large family is compressed once per poll,
for all scrapes and both formats. A scrape compresses the small families and computes the checksum.
"""

import functools
import struct
import zlib
from collections.abc import Generator
from typing import Protocol

from exporter.metrics.page import SLICE_SIZE, Block, Page, slices

LARGE = 128 * 1024
"""Bytes of text from which on a faster library is worth being loaded."""

_LEVEL = 1
"""The text is so repetitive that level 6 takes five times as long to save a fifth."""

_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""Method deflate; no name, no time, unknown operating system."""

_LAST_BLOCK = b"\x03\x00"
"""The empty block that ends a deflate stream."""

_LENGTH_MASK = 0xFFFFFFFF

_ZEROS = memoryview(bytes(SLICE_SIZE))


class _Compressor(Protocol):
    def compress(self, data: bytes | memoryview, /) -> bytes: ...
    def flush(self, mode: int, /) -> bytes: ...


class DeflateLibrary(Protocol):
    """The part of `zlib` that is used: another library has the same functions."""

    def compressobj(self, level: int, method: int, wbits: int) -> _Compressor:
        """Return a compressor of one stream."""

    def crc32(self, data: bytes | memoryview, value: int, /) -> int:
        """Return the checksum of data that follows data with the checksum `value`."""


def gzip_page(page: Page) -> Generator[None, None, list[bytes]]:
    """Return the page as a gzip stream in parts, yielding after each slice."""
    stream = [_HEADER]
    checksum = size = 0
    for block in page.blocks:
        deflated = block.deflated
        if deflated.data is None:
            yield from _deflate(block)
        stream.append(deflated.data or b"")
        checksum = _crc32_of_zeros(deflated.size, checksum) ^ deflated.checksum
        size += deflated.size
        yield
    stream.append(_LAST_BLOCK + struct.pack("<LL", checksum, size & _LENGTH_MASK))
    return stream


def _deflate(block: Block) -> Generator[None, None, None]:
    """Compress a block, yielding after each slice."""
    compressor: _Compressor | None = None
    compressed: list[bytes] = []
    checksum = size = 0
    for part in slices(block.parts):  # only once: this puts small families together
        library = fast_library() if len(part) >= LARGE else zlib
        compressor = compressor or library.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        compressed.append(compressor.compress(part))
        checksum = library.crc32(part, checksum)
        size += len(part)
        yield
    compressed += [compressor.flush(zlib.Z_SYNC_FLUSH)] if compressor else []
    checksum ^= _crc32_of_zeros(size, 0)
    # All at once: another scrape may do the same.
    block.deflated.data, block.deflated.size = b"".join(compressed), size
    block.deflated.checksum = checksum


def _crc32_of_zeros(size: int, checksum: int) -> int:
    """Return the checksum of a text with this checksum and `size` zero bytes behind it.

    A checksum is linear: that of a text A and a text B is that of A and zeros, exclusive-or those
    of zeros and of B. So what is kept of B suffices.
    """
    library = fast_library() if size >= LARGE else zlib
    for _ in range(size // SLICE_SIZE):
        checksum = library.crc32(_ZEROS, checksum)
    return library.crc32(_ZEROS[: size % SLICE_SIZE], checksum)


@functools.cache
def fast_library() -> DeflateLibrary:
    """Return Intel's ISA-L, four times as fast, if the extra `isal` is installed, else zlib."""
    try:
        from isal import isal_zlib  # noqa: PLC0415 -- for large pages only
    except ImportError:
        return zlib
    return isal_zlib
