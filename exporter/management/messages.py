"""The messages of a session: framed, not parsed.

Texts are the daemon's bytes without line ends. They contain values that VPN peers choose, and
credentials, so `repr()` does not show them.
"""

from collections.abc import Sequence

import msgspec

from exporter.management.reply_lines import ReplyLines


class PasswordPrompt(msgspec.Struct, frozen=True):
    """The prompt `ENTER PASSWORD:`, the only message without a line end."""


class SuccessReply(msgspec.Struct, frozen=True):
    """A one-line reply `SUCCESS: TEXT`."""

    text: bytes

    def __repr__(self) -> str:
        return f"SuccessReply({len(self.text)} bytes)"


class ErrorReply(msgspec.Struct, frozen=True):
    """A one-line reply `ERROR: TEXT`."""

    text: bytes

    def __repr__(self) -> str:
        # Since 2.7 the text repeats an unknown command, which may have been a password.
        return f"ErrorReply({len(self.text)} bytes)"


class MultilineReply(msgspec.Struct, frozen=True):
    """A reply of several lines, without the line `END` that closed it."""

    lines: Sequence[bytes]

    @property
    def size(self) -> int:
        """The bytes of the lines."""
        if isinstance(self.lines, ReplyLines):
            return self.lines.size
        return sum(map(len, self.lines))

    def __repr__(self) -> str:
        return f"MultilineReply({len(self.lines)} lines)"


class Truncated(msgspec.Struct, frozen=True):
    """A number of lines that were dropped.

    A reply or an ENV block without its end is dropped as a whole: half a status must not be taken
    for the status of fewer clients. Of an ENV block beyond its limits only the variables that do
    not fit are dropped.
    """

    lines: int


class Notification(msgspec.Struct, frozen=True):
    """A real-time message `>KEYWORD:PAYLOAD`, with its ENV block if it has one.

    `env` has the variables of the block in order, `NAME=VALUE`, without those that are passwords.
    """

    keyword: str
    payload: bytes
    env: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        # Payloads contain credentials (>PASSWORD:Auth-Token, CRV1, >INFOMSG).
        return f"Notification({self.keyword!r}, {len(self.payload)} bytes, env={len(self.env)})"


class UnexpectedLine(msgspec.Struct, frozen=True):
    """A line that is part of no message; it is counted and not interpreted."""

    line: bytes

    def __repr__(self) -> str:
        return f"UnexpectedLine({len(self.line)} bytes)"


Reply = SuccessReply | ErrorReply | MultilineReply
Message = (
    PasswordPrompt
    | SuccessReply
    | ErrorReply
    | MultilineReply
    | Truncated
    | Notification
    | UnexpectedLine
)
