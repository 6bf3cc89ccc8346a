"""Text that must not be logged or shown."""

_REDACTED = "***"


def without_credentials(address: str) -> str:
    """Return an address or URL with `***` for all before an `@`: it may have a password."""
    _, at, rest = address.rpartition("@")
    return f"{_REDACTED}@{rest}" if at else address


class Secret:
    """A secret: `repr`, `str` and formatting return `***`, only `reveal` returns the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; only the code that uses the secret calls this."""
        return self._text

    def __repr__(self) -> str:
        """Return that there is a secret, not even its length."""
        return f"Secret({_REDACTED})"

    def __str__(self) -> str:
        """Return `***`."""
        return _REDACTED


class SecretBytes:
    """A secret of bytes, such as a key, which can be compared; only `reveal` returns the bytes."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def reveal(self) -> bytes:
        """Return the bytes themselves; only the code that uses the secret calls this."""
        return self._content

    def __eq__(self, other: object) -> bool:
        """Compare the bytes: another key is another configuration."""
        return isinstance(other, SecretBytes) and self._content == other._content

    def __hash__(self) -> int:
        """Hash the bytes, with Python's random seed."""
        return hash(self._content)

    def __repr__(self) -> str:
        """Return that there is a secret, not even its length."""
        return f"SecretBytes({_REDACTED})"

    def __str__(self) -> str:
        """Return `***`."""
        return _REDACTED
