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

from exporter.metrics.page import Page, slices

LARGE = 128 * 1024
"""Bytes of text from which on a faster library is worth being loaded."""

_LEVEL = 1
"""The text is so repetitive that level 6 takes five times as long to save a fifth."""

_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""Method deflate; no name, no time, unknown operating system."""

_LAST_BLOCK = b"\x03\x00"
"""The empty block that ends a deflate stream."""

_LENGTH_MASK = 0xFFFFFFFF


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
        deflated = block.deflated  # another scrape may set it meanwhile
        compressor: _Compressor | None = None
        compressed: list[bytes] = []
        for part in slices(block.parts):  # only once: this puts small families together
            library = fast_library() if len(part) >= LARGE else zlib
            if deflated is None:
                compressor = compressor or _compressor(library)
                compressed.append(compressor.compress(part))
            checksum = library.crc32(part, checksum)
            size += len(part)
            yield
        if compressor is not None:
            deflated = b"".join((*compressed, compressor.flush(zlib.Z_SYNC_FLUSH)))
            block.deflated = deflated
        stream.append(deflated or b"")
    stream.append(_LAST_BLOCK + struct.pack("<LL", checksum, size & _LENGTH_MASK))
    return stream


@functools.cache
def fast_library() -> DeflateLibrary:
    """Return Intel's ISA-L, four times as fast, if the extra `isal` is installed, else zlib."""
    try:
        from isal import isal_zlib  # noqa: PLC0415 -- for large pages only
    except ImportError:
        return zlib
    return isal_zlib


def _compressor(library: DeflateLibrary) -> _Compressor:
    return library.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
