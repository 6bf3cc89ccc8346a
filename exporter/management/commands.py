"""The commands that can be sent to a daemon; this list is complete.

All are read-only. None acts on the daemon or its clients (`hold release`, `kill`, `signal`), and
none has an argument that outlasts the session (`verb N`, `mute N`, `hold on`, `version N`,
`env-filter N`). `ManagementProtocol.send_command` accepts nothing else.
"""

import enum


class ReplyKind(enum.Enum):
    """The form of a command's reply; an `ERROR:` line may come instead."""

    LINE = enum.auto()
    """One `SUCCESS:` line."""
    MULTILINE = enum.auto()
    """Several lines, closed by `END`."""
    NOTHING = enum.auto()
    """No reply: the daemon closes the connection."""


class Command(enum.Enum):
    """A read-only command: its text and the form of its reply."""

    VERSION = ("version", ReplyKind.MULTILINE)
    PID = ("pid", ReplyKind.LINE)
    STATE = ("state", ReplyKind.MULTILINE)
    STATE_ALL = ("state all", ReplyKind.MULTILINE)
    STATE_ON = ("state on", ReplyKind.LINE)
    STATUS_1 = ("status 1", ReplyKind.MULTILINE)
    STATUS_3 = ("status 3", ReplyKind.MULTILINE)
    LOAD_STATS = ("load-stats", ReplyKind.LINE)
    HOLD = ("hold", ReplyKind.LINE)
    VERB = ("verb", ReplyKind.LINE)
    LOG_ON = ("log on", ReplyKind.LINE)
    LOG_OFF = ("log off", ReplyKind.LINE)
    LOG_ALL = ("log all", ReplyKind.MULTILINE)
    # In client mode 2.6.0 to 2.6.19 keep sending byte counts that an earlier client asked for.
    BYTECOUNT_OFF = ("bytecount 0", ReplyKind.LINE)
    QUIT = ("quit", ReplyKind.NOTHING)

    def __init__(self, text: str, reply: ReplyKind) -> None:
        self.text = text
        """The command without its line end."""
        self.line = text.encode() + b"\n"
        """The bytes that are sent."""
        self.reply = reply


NO_COMMANDS: frozenset[Command] = frozenset()
"""Kept once: an empty set takes 216 bytes."""
