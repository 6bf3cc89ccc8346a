"""The one list of what this program can say to a daemon.

Nothing here changes a daemon: no `hold release`, no `kill`, no `signal`, and never an argument
that sticks to it beyond our session (`verb N`, `mute N`, `hold on`, `version N`, `env-filter N`).
What is not in this list cannot be sent: `Protocol.send` takes nothing else.
"""

import enum

from exporter.management import lexer


class ReplyKind(enum.Enum):
    """The shape of a command's reply; each may be a single `ERROR:` line instead."""

    LINE = enum.auto()
    """One `SUCCESS:` line."""
    LISTING = enum.auto()
    """Lines closed by `END`."""
    NOTHING = enum.auto()
    """The daemon closes the connection without a word."""


class Command(enum.Enum):
    """A read-only command: its words and the shape of its reply."""

    VERSION = (("version",), ReplyKind.LISTING)
    PID = (("pid",), ReplyKind.LINE)
    STATE = (("state",), ReplyKind.LISTING)
    STATE_ALL = (("state", "all"), ReplyKind.LISTING)
    STATE_ON = (("state", "on"), ReplyKind.LINE)
    STATUS_1 = (("status", "1"), ReplyKind.LISTING)
    STATUS_2 = (("status", "2"), ReplyKind.LISTING)
    STATUS_3 = (("status", "3"), ReplyKind.LISTING)
    LOAD_STATS = (("load-stats",), ReplyKind.LINE)
    HOLD = (("hold",), ReplyKind.LINE)
    VERB = (("verb",), ReplyKind.LINE)
    LOG_ON = (("log", "on"), ReplyKind.LINE)
    LOG_OFF = (("log", "off"), ReplyKind.LINE)
    LOG_ALL = (("log", "all"), ReplyKind.LISTING)
    # Daemons of 2.6.0 to 2.6.19 in client mode keep the timer of an earlier client running.
    BYTECOUNT_OFF = (("bytecount", "0"), ReplyKind.LINE)
    QUIT = (("quit",), ReplyKind.NOTHING)

    def __init__(self, words: tuple[str, ...], reply: ReplyKind) -> None:
        """Take the members' tuples apart."""
        self.words = words
        self.reply = reply

    @property
    def text(self) -> str:
        """The command as a person would type it."""
        return lexer.join(self.words)

    @property
    def line(self) -> bytes:
        """The command as it is sent."""
        return self.text.encode() + b"\n"
