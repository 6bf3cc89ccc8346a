"""The file with the key that pseudonyms of clients are made with."""

from pathlib import Path

from exporter.config.password import read_secret, too_long

MIN_BYTES = 16
MAX_BYTES = 4096


class PrivacyKey:
    """A key and where it came from; nothing but `reveal` shows the key."""

    __slots__ = ("_key", "path")

    def __init__(self, path: Path, key: bytes) -> None:
        """Keep `key` out of sight."""
        self.path = path
        self._key = key

    def reveal(self) -> bytes:
        """Return the key itself; for the one place that makes pseudonyms."""
        return self._key

    def __eq__(self, other: object) -> bool:
        """Compare what is in the files: another key there is another configuration."""
        return isinstance(other, PrivacyKey) and (self.path, self._key) == (other.path, other._key)

    def __hash__(self) -> int:
        """Hash by the path."""
        return hash(self.path)

    def __repr__(self) -> str:
        """Show where it came from."""
        return f"PrivacyKey({self.path})"

    def __str__(self) -> str:
        """Show the path, as it is written in the configuration."""
        return str(self.path)


def read_privacy_key(path: Path) -> PrivacyKey:
    """Return the key in the file at `path`: any bytes, line ends at its end left out.

    Raises ValueError with one sentence that says what is wrong, and never shows the content.
    """
    key = read_secret(path, MAX_BYTES, "key").rstrip(b"\r\n")
    if len(key) > MAX_BYTES:
        raise too_long(path, MAX_BYTES, "key")
    if len(key) < MIN_BYTES:
        raise ValueError(
            f"{path} holds less than {MIN_BYTES} bytes: make a key with 'openssl rand -hex 32'"
        )
    return PrivacyKey(path, key)
