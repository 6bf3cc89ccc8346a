"""What a command is, and how OpenVPN reads its parameters."""

import re
from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from exporter.simulator.daemon.daemon import Daemon

Words = Sequence[str]
"""A command with its parameters, the name first."""

Reply = Iterable[str]
"""Lines without their ends."""

Command = Callable[[Daemon, Words], Reply]
"""Carries out a command.

Raises:
    CommandError: it fails.
    Unsupported: it makes no sense for this daemon, or not now.
"""


class CommandError(Exception):
    """The command fails; `str()` is what follows `ERROR: `."""


class Need(Enum):
    """How many parameters a command insists on, surplus ones being ignored."""

    EXACTLY = ""
    AT_LEAST = "at least "


def require(words: Words, count: int, need: Need = Need.EXACTLY) -> None:
    """Insist on `count` parameters.

    Raises:
        CommandError: there are fewer.
    """
    if len(words) <= count:
        plural = "s" if count > 1 else ""
        raise CommandError(
            f"the '{words[0]}' command requires {need.value}{count} parameter{plural}"
        )


def number(text: str) -> int:
    """Read a number as C's atoi() does: what is none is 0, and what follows one is ignored."""
    match = re.match(r"[ \t]*([+-]?[0-9]+)", text)
    return int(match[1]) if match else 0


def parameter(words: Words, index: int) -> str | None:
    """Return a parameter that may be missing."""
    return words[index] if len(words) > index else None
