"""The type of a command, its exit codes and its errors."""

import argparse
import enum
import importlib
from typing import Protocol, cast

import msgspec


class Exit(enum.IntEnum):
    """The exit codes, the same for every command."""

    DONE = 0
    """Success."""
    FAILED = 1
    """The exporter can't serve, or a daemon is skipped or down."""
    USAGE = 2
    """The configuration or a flag is invalid."""


class CommandModule(Protocol):
    """What the module of a command defines."""

    def add_flags(self, parser: argparse.ArgumentParser, /) -> None:
        """Define the flags of the command."""

    def run(self, parsed: argparse.Namespace, /) -> Exit:
        """Run the command with these flags.

        It may raise UsageError, ConfigError and CommandFailed, which end the program with their
        message and exit code.
        """


class Subcommand(msgspec.Struct, frozen=True):
    """One command; its module, `exporter.cli.NAME`, is imported only if the command is used."""

    name: str
    summary: str

    @property
    def module(self) -> CommandModule:
        """The module of the command."""
        return cast("CommandModule", importlib.import_module(f"exporter.cli.{self.name}"))


class UsageError(Exception):
    """The flags are valid one by one, but not together; the text says what to write instead."""


class CommandFailed(Exception):
    """The command failed; the text says what failed and why."""
