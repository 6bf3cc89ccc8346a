"""Commands whose replies could not be used: their data is missing, and all else goes on."""

from collections import Counter

import msgspec

from exporter.management.commands import Command
from exporter.management.errors import ReplyError
from exporter.state.down import DownState
from exporter.state.privacy import Privacy

OPTIONAL_COMMANDS = (
    Command.PID,
    Command.HOLD,
    Command.VERSION,
    Command.VERB,
    Command.STATE_ON,
    Command.STATE_ALL,
    Command.STATE,
    Command.LOG_ON,
    Command.LOG_ALL,
    Command.LOG_OFF,
    Command.LOAD_STATS,
    Command.BYTECOUNT_OFF,
)
"""All commands but `status`, which is required, and `quit`, which has no reply."""


class FailedCommands(msgspec.Struct, eq=False):
    """The failures of one daemon."""

    counts: Counter[Command] = msgspec.field(default_factory=Counter)
    """Failures by command; one that never failed takes no memory."""
    errors: dict[Command, ReplyError] = {}
    """The commands that failed when they were last sent."""
    _logged: tuple[Command, ...] = ()

    def record(self, command: Command, error: ReplyError | None) -> None:
        """Record a reply, or the error of one that could not be used."""
        if error is None:
            self.errors.pop(command, None)
        else:
            self.counts[command] += 1
            self.errors[command] = error

    def messages(self, privacy: Privacy) -> dict[Command, str]:
        """Return why the commands failed when they were last sent, as sentences."""
        return {
            command: DownState(error).message(privacy) for command, error in self.errors.items()
        }

    def pop_unlogged(self) -> tuple[Command, ...]:
        """Return the commands that fail now and were not returned before."""
        commands = tuple(command for command in self.errors if command not in self._logged)
        self._logged += commands
        return commands
