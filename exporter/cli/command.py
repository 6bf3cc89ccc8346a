"""What a command is: a word, its flags, and what it does with them."""

import argparse
import enum
from collections.abc import Callable

import msgspec


class Exit(enum.IntEnum):
    """The exit codes, the same for every command."""

    DONE = 0
    """Ended as asked."""
    FAILED = 1
    """Could not serve, or not watch or reach all of what was asked for."""
    USAGE = 2
    """The configuration or a flag is wrong."""


class Command(msgspec.Struct, frozen=True):
    """One command; `run` takes the flags that `add_flags` made.

    `run` may raise UsageError, ConfigError and CommandFailed, which end the program with their
    words and the code that belongs to them.
    """

    name: str
    summary: str
    add_flags: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Exit]


class UsageError(Exception):
    """The flags, each right by itself, do not make sense together; says what to write instead."""


class CommandFailed(Exception):
    """What was asked for could not be done; says what and why."""
