"""The type of a command, its exit codes and its errors."""

import argparse
import enum
from collections.abc import Callable

import msgspec


class Exit(enum.IntEnum):
    """The exit codes, the same for every command."""

    DONE = 0
    """Success."""
    FAILED = 1
    """The exporter can't serve, or a daemon is skipped or down."""
    USAGE = 2
    """The configuration or a flag is invalid."""


class Subcommand(msgspec.Struct, frozen=True):
    """One command; `run` takes the flags that `add_flags` defines.

    `run` may raise UsageError, ConfigError and CommandFailed, which end the program with their
    message and exit code.
    """

    name: str
    summary: str
    add_flags: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Exit]


class UsageError(Exception):
    """The flags are valid one by one, but not together; the text says what to write instead."""


class CommandFailed(Exception):
    """The command failed; the text says what failed and why."""
