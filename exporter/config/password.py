"""The file that holds a daemon's management password."""

import re
from pathlib import Path

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
    content = read_secret(path, MAX_BYTES + len(b"\r\n")).removesuffix(b"\n").removesuffix(b"\r")
    if not content:
        raise ValueError(f"{path} is empty: write the password into it")
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path} holds more than {MAX_BYTES} bytes: use a shorter password")
    if _CONTROL.search(content):
        raise ValueError(
            f"{path} holds more than one line, or control characters: leave only the password"
        )
    return Secret(_decode(content, path))


def read_secret(path: Path, limit: int) -> bytes:
    """Return the content of a file, of a longer one `limit` and one bytes.

    Raises ValueError with one sentence that says what is wrong.
    """
    try:
        # Opening a named pipe would wait for its writer.
        if path.exists() and not path.is_file():
            raise ValueError(f"{path} is not a regular file: name one that holds the secret")
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text: save the password as UTF-8") from None
