"""Files that hold a secret: a daemon's management password, the key of the pseudonyms."""

import re
from pathlib import Path

from exporter.files import FileTooLargeError, open_regular, read_regular
from exporter.secret import Secret

MAX_PASSWORD_BYTES = 1023
"""The longest password that fits into one line of the management interface.

The daemon keeps 4095 bytes of a password, or 127 if it was built without PKCS#11.
"""

MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 4096

# The daemon removes control characters from its input, so such a password can never match.
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class PrivacyKey:
    """A key and its file; only `reveal` returns the key."""

    __slots__ = ("_key", "path")

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key

    def reveal(self) -> bytes:
        """Return the key itself; only the code that computes pseudonyms calls this."""
        return self._key

    def __eq__(self, other: object) -> bool:
        """Compare the keys too: another key in the same file is another configuration."""
        return isinstance(other, PrivacyKey) and (self.path, self._key) == (other.path, other._key)

    def __hash__(self) -> int:
        """Hash the path."""
        return hash(self.path)

    def __repr__(self) -> str:
        """Return the path, not the key."""
        return f"PrivacyKey({self.path})"

    def __str__(self) -> str:
        """Return the path, as written in the configuration."""
        return str(self.path)


def read_password(path: Path) -> Secret:
    """Return the password in the file: its first line, as the daemon reads it.

    Raises ValueError with the problem in one sentence, without the content.
    """
    content = _read_start(path, MAX_PASSWORD_BYTES + len(b"\r\n"))
    password = content.partition(b"\n")[0].rstrip(b"\r")
    if not password:
        what = "has a first line that is empty" if content else "is empty"
        raise ValueError(f"{path} {what}: write the password into it")
    if len(password) > MAX_PASSWORD_BYTES:
        raise _too_long(path, MAX_PASSWORD_BYTES, "password")
    if _CONTROL.search(password):
        raise ValueError(f"{path} has control characters: leave only the password")
    try:
        return Secret(password.decode())
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text: save the password as UTF-8") from None


def read_privacy_key(path: Path) -> PrivacyKey:
    """Return the key in the file: any bytes, without line ends at the end.

    Raises ValueError with the problem in one sentence, without the content.
    """
    key = _read(path, MAX_KEY_BYTES, "key").rstrip(b"\r\n")
    if len(key) > MAX_KEY_BYTES:
        raise _too_long(path, MAX_KEY_BYTES, "key")
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(
            f"{path} has less than {MIN_KEY_BYTES} bytes: make a key with 'openssl rand -hex 32'"
        )
    return PrivacyKey(path, key)


def _read(path: Path, limit: int, noun: str) -> bytes:
    """Return the content of a file with a secret of at most `limit` bytes and a line end."""
    try:
        return read_regular(path, limit + len(b"\r\n"))
    except FileTooLargeError:
        raise _too_long(path, limit, noun) from None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None


def _read_start(path: Path, limit: int) -> bytes:
    """Return the first bytes of a file with a secret; it may have more lines."""
    try:
        with open_regular(path) as file:
            return file.read(limit)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None


def _too_long(path: Path, limit: int, noun: str) -> ValueError:
    return ValueError(f"{path} has more than {limit} bytes: use a shorter {noun}")
