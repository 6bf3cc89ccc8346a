"""One event of the daemon's log."""

import re

import msgspec

from exporter.management.state import ANY_MODE, Modes


class LogEvent(msgspec.Struct, frozen=True):
    """One event; `name` is the value of the label `event`.

    `pattern` matches a whole message, without the client at the line's beginning. `verb` is the
    lowest verbosity at which the daemon logs the event, `versions` are those of OpenVPN that log
    it, and `modes` those in which it happens.
    """

    name: str
    pattern: str
    verb: int
    versions: str
    example: str
    meaning: str
    modes: Modes = ANY_MODE

    def matches(self, message: str) -> bool:
        """Return whether a message, without its client, is this event."""
        return re.fullmatch(self.pattern, message, re.DOTALL) is not None

    def __hash__(self) -> int:
        return hash(self.name)
