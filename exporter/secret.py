"""A text that must not be shown."""

_SHOWN = "***"


class Secret:
    """A management password: `repr`, `str` and formatting show `***`, only `reveal` the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep `text` out of sight."""
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        """Show that there is a secret, and nothing of it, not even its length."""
        return f"Secret({_SHOWN})"

    def __str__(self) -> str:
        """Show `***`."""
        return _SHOWN
