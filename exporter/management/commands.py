"""The one list of what this program can say to a daemon.

Nothing here changes a daemon: no `hold release`, no `kill`, no `signal`, and never an argument
that sticks to it beyond our session (`verb N`, `mute N`, `hold on`, `version N`, `env-filter N`).
What is not in this list cannot be sent: `Protocol.send` takes nothing else.
"""

import enum


class ReplyKind(enum.Enum):
    """The shape of a command's reply; each may be a single `ERROR:` line instead."""

    LINE = enum.auto()
    """One `SUCCESS:` line."""
    MULTILINE = enum.auto()
    """Lines closed by `END`."""
    NOTHING = enum.auto()
    """The daemon closes the connection without a word."""


class Command(enum.Enum):
    """A read-only command: its text and the shape of its reply."""

    VERSION = ("version", ReplyKind.MULTILINE)
    PID = ("pid", ReplyKind.LINE)
    STATE = ("state", ReplyKind.MULTILINE)
    STATE_ALL = ("state all", ReplyKind.MULTILINE)
    STATE_ON = ("state on", ReplyKind.LINE)
    STATUS_1 = ("status 1", ReplyKind.MULTILINE)
    STATUS_2 = ("status 2", ReplyKind.MULTILINE)
    STATUS_3 = ("status 3", ReplyKind.MULTILINE)
    LOAD_STATS = ("load-stats", ReplyKind.LINE)
    HOLD = ("hold", ReplyKind.LINE)
    VERB = ("verb", ReplyKind.LINE)
    LOG_ON = ("log on", ReplyKind.LINE)
    LOG_OFF = ("log off", ReplyKind.LINE)
    LOG_ALL = ("log all", ReplyKind.MULTILINE)
    # Daemons of 2.6.0 to 2.6.19 in client mode keep the timer of an earlier client running.
    BYTECOUNT_OFF = ("bytecount 0", ReplyKind.LINE)
    QUIT = ("quit", ReplyKind.NOTHING)

    def __init__(self, text: str, reply: ReplyKind) -> None:
        self.text = text
        """The command as a person types it."""
        self.line = text.encode() + b"\n"
        """The command as it is sent."""
        self.reply = reply
