"""The file that holds a daemon's management password."""

import re
from pathlib import Path

from exporter.files import FileTooLargeError, read_regular
from exporter.secret import Secret

MAX_BYTES = 1023
"""What fits into one line of the management interface.

The daemon keeps 4095 bytes of a password, or 127 if it was built without PKCS#11.
"""

# The daemon drops control characters from what it reads, so such a password can never match.
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


def read_password(path: Path) -> Secret:
    """Return the password in the file at `path`, which has one line and nothing is trimmed.

    Raises ValueError with one sentence that says what is wrong, and never shows the content.
    """
    content = read_secret(path, MAX_BYTES, "password").removesuffix(b"\n").removesuffix(b"\r")
    if not content:
        raise ValueError(f"{path} is empty: write the password into it")
    if len(content) > MAX_BYTES:
        raise too_long(path, MAX_BYTES, "password")
    if _CONTROL.search(content):
        raise ValueError(
            f"{path} holds more than one line, or control characters: leave only the password"
        )
    return Secret(_decode(content, path))


def read_secret(path: Path, limit: int, noun: str) -> bytes:
    """Return the content of a file with a secret of at most `limit` bytes and a line end.

    Raises ValueError with one sentence that says what is wrong.
    """
    try:
        return read_regular(path, limit + len(b"\r\n"))
    except FileTooLargeError:
        raise too_long(path, limit, noun) from None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None


def too_long(path: Path, limit: int, noun: str) -> ValueError:
    """Return the error for a secret of more than `limit` bytes."""
    return ValueError(f"{path} holds more than {limit} bytes: use a shorter {noun}")


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text: save the password as UTF-8") from None
