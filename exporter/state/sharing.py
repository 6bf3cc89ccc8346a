"""The sharing of one daemon's management interface: where, to how many tools, their commands."""

import enum
from collections import Counter

import msgspec

COMMANDS = (*("help", "hold", "load-stats", "log", "pid", "state", "status", "verb", "version"),)
"""The commands that are served to tools, and counted by their names."""

OTHER = "other"
"""The name under which all others count."""


class Outcome(enum.StrEnum):
    """How the command of a tool was answered: the values of the label `outcome`."""

    SERVED = "served"
    """From a reply that was there, or that another tool or a poll has asked for."""
    FORWARDED = "forwarded"
    """By a command that was sent to the daemon for it."""
    REFUSED = "refused"
    """With an error, without the daemon."""


class SharingState(msgspec.Struct, eq=False):
    """Written by the share of a daemon, read by the metrics and pages."""

    tools: int = 0
    """Tools that are connected."""
    commands: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """Commands of tools, by name and outcome."""
    problems: dict[str, str] = {}
    """Why tools can't connect, by address."""
