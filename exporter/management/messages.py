"""What a daemon says, framed but not yet understood.

A session is a sequence of these. Texts are the daemon's bytes without line ends; they may hold
anything a peer of the VPN chose, so `repr()` shows none of it.
"""

import msgspec


class PasswordPrompt(msgspec.Struct, frozen=True):
    """`ENTER PASSWORD:`, the one thing said without a line end."""


class SuccessReply(msgspec.Struct, frozen=True):
    """A `SUCCESS:` line; `text` is what follows the blank."""

    text: bytes

    def __repr__(self) -> str:
        return f"SuccessReply({len(self.text)} bytes)"


class ErrorReply(msgspec.Struct, frozen=True):
    """An `ERROR:` line; `text` is what follows the blank."""

    text: bytes

    def __repr__(self) -> str:
        # From 2.7 on an unknown command is repeated here, and it may have been a password.
        return f"ErrorReply({len(self.text)} bytes)"


class MultilineReply(msgspec.Struct, frozen=True):
    """A reply of several lines that `END` closed."""

    lines: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"MultilineReply({len(self.lines)} lines)"


class Truncated(msgspec.Struct, frozen=True):
    """A listing or an ENV block that another message or the end of the session cut short.

    Its content is thrown away whole: half a status must never be taken for a small one. Of an ENV
    block beyond its caps only the variables are thrown away that did not fit.
    """

    lines: int


class Notification(msgspec.Struct, frozen=True):
    """A real-time message `>SOURCE:payload`, with its ENV block where it has one.

    `env` holds the `NAME=value` bytes of `>SOURCE:ENV,` lines in order, without values of
    variables that carry a password.
    """

    keyword: str
    payload: bytes
    env: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        # Payloads carry credentials (>PASSWORD:Auth-Token, CRV1, >INFOMSG).
        return f"Notification({self.keyword!r}, {len(self.payload)} bytes, env={len(self.env)})"


class UnexpectedLine(msgspec.Struct, frozen=True):
    """A line that fits nowhere: counted, never interpreted."""

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
