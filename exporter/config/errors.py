"""What is wrong with a configuration, all of it at once."""

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake: its location, and one sentence that says what is wrong and how to correct it.

    `source` is the file or the flag; `line` counts from 1 and is None if no line is known; `key` is
    a path such as `daemons[1].timeout`, empty for the file as a whole.
    """

    text: str
    source: str = ""
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        """Return `file:line: key: text`, without the parts that are not known."""
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.text) if part)


class ConfigError(Exception):
    """The configuration cannot be used; `problems` are in the order of the file, never empty."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Take every problem found; `str()` gives one line for each."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
