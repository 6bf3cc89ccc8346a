"""Replies as a daemon frames them: `SUCCESS:` and `ERROR:` lines, listings that `END` closes."""

from collections.abc import Iterable

_CRLF = b"\r\n"


def encode_lines(lines: Iterable[str]) -> bytes:
    """Return lines as they are sent; surrogate escapes become the bytes they stand for."""
    return "".join([f"{line}\r\n" for line in lines]).encode("utf-8", "surrogateescape")


def success(text: str) -> bytes:
    """Return a reply of one line that reports success."""
    return encode_lines((f"SUCCESS: {text}",))


def error(text: str) -> bytes:
    """Return a reply of one line that reports an error."""
    return encode_lines((f"ERROR: {text}",))


def multiline(lines: Iterable[bytes]) -> bytes:
    """Return a reply of several lines; `END` is added."""
    return _CRLF.join((*lines, b"END", b""))
