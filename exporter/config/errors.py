"""The problems of a configuration, all at once."""

from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake: its location, and one sentence with what is wrong and how to correct it.

    `source` is the file or the flag; `line` counts from 1 and is None if no line is known; `key` is
    a path such as `daemons[1].timeout`, empty for the file as a whole.
    """

    text: str
    source: str = ""
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        """Return `file:line: key: text`, without the parts that are not known."""
        location = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (location, self.key, self.text) if part)


class ConfigError(Exception):
    """The configuration can't be used; `problems` are in the order of the file, never empty."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems

    @classmethod
    def by_line(cls, problems: Iterable[Problem]) -> "ConfigError":
        """Return the error with the problems in the order of their lines."""
        return cls(tuple(sorted(problems, key=lambda problem: problem.line or 0)))
