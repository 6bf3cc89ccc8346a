"""Text that must not be logged or shown."""

_REDACTED = "***"


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
