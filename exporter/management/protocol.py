"""A management session without I/O: bytes in, messages out; commands to bytes.

Rules of this module:

- It knows lines, not meanings: what a status or a state says is read elsewhere.
- A message is complete or it does not exist. What was cut short is reported as `Truncated` and
  its content dropped.
- Nothing grows without a cap. Breaking one raises `ProtocolError`; the session is over then, and
  every further byte raises it again. Only an ENV block goes on: the variables beyond its caps are
  dropped and reported as `Truncated`.
- Framing does not depend on which command is outstanding. A listing begins with any line that is
  nothing else and ends with a line that is exactly `END` (every line a daemon prints in between
  has a comma, a tab, or is fixed text). A `SUCCESS:` or `ERROR:` line inside a listing means
  that the listing was never ended (a status row of 512 bytes drops itself and all that follows).
"""

import enum
import re

from exporter.management.commands import Command
from exporter.management.errors import ProtocolError
from exporter.management.messages import (
    ErrorReply,
    Message,
    MultilineReply,
    Notification,
    PasswordPrompt,
    SuccessReply,
    Truncated,
    UnexpectedLine,
)
from exporter.management.values import clean_bytes
from exporter.secret import Secret

LINE_LIMIT = 16 * 1024
"""Bytes of one line; OpenVPN's own lines have at most 10,239 (ERR_BUF_SIZE, 2.6)."""

REPLY_LIMIT = 64 * 1024 * 1024
"""Bytes of one listing, `LINE_COST` for each line included: 100,000 clients with their routes."""

LINE_COST = 64
"""What keeping a line costs beside its own bytes, so that many short ones count, too."""

ENV_LIMIT = 1024
"""Lines kept of one ENV block; real ones have about 60."""

ENV_SIZE_LIMIT = 256 * 1024
"""Bytes kept of one ENV block, `LINE_COST` for each line included; real ones have about 6,000."""

PASSWORD_PROMPT = b"ENTER PASSWORD:"

_ENV_EVENTS = {
    "CLIENT": (b"CONNECT,", b"REAUTH,", b"ESTABLISHED,", b"DISCONNECT,", b"CR_RESPONSE,"),
    "UPDOWN": (b"UP", b"DOWN"),
}
_NOTIFICATION = re.compile(rb">([A-Z][A-Z0-9_-]*):(.*)", re.DOTALL)
_SECRET_VARIABLES = (b"password=", b"auth_token=")

_NON_ROW_PREFIXES = frozenset({b">", b"S", b"E"})
"""How lines begin that may be no rows: notifications, `SUCCESS:`, `ERROR:` and `END`."""

# A client row of status format 1 begins with a common name, which may be `>FATAL:x` or
# `SUCCESS: x`. Its tail gives it away: address, two numbers, and a date in one of two spellings.
_FORMAT_1_ROW = re.compile(
    rb".*,[^,]*,\d+,\d+,"
    rb"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})",
    re.DOTALL,
)
_FORMAT_1_TITLE = b"OpenVPN CLIENT LIST"


class _SessionState(enum.Enum):
    LOGIN = enum.auto()
    OPEN = enum.auto()
    FAILED = enum.auto()


class _EnvBlock:
    """A notification whose `>SOURCE:ENV,` lines are still coming."""

    def __init__(self, source: str, payload: bytes) -> None:
        self.source = source
        self._payload = payload
        self._variables: list[bytes] = []
        self.lines = 1
        self.size = len(payload) + LINE_COST
        self.dropped = 0

    def add(self, variable: bytes) -> None:
        self.lines += 1
        if variable.startswith(_SECRET_VARIABLES):
            return
        size = self.size + len(variable) + LINE_COST
        if len(self._variables) < ENV_LIMIT and size <= ENV_SIZE_LIMIT:
            self._variables.append(variable)
            self.size = size
        else:
            self.dropped += 1

    def finish(self) -> Notification:
        return Notification(self.source, self._payload, tuple(self._variables))


class ManagementProtocol:
    """One management session, from the first byte to the last.

    Feed it with `receive` and `receive_eof`, send what `send` and `send_password` return. Any
    exception other than `ProtocolError` out of `receive` is a bug.
    """

    def __init__(self, *, reply_limit: int = REPLY_LIMIT) -> None:
        """Begin a session in which nothing was said yet."""
        self._reply_limit = reply_limit
        self._state = _SessionState.LOGIN
        self._buffer = b""
        self._messages: list[Message] = []
        self._listing: list[bytes] | None = None
        self._listing_size = 0
        self._env: _EnvBlock | None = None

    @property
    def buffered(self) -> int:
        """Bytes kept of messages that are not complete: what the caps are about."""
        env = self._env.size if self._env else 0
        listing = self._listing_size if self._listing is not None else 0
        return len(self._buffer) + env + listing

    @property
    def greeted(self) -> bool:
        """Whether the daemon has said its greeting: from then on it takes commands."""
        return self._state is _SessionState.OPEN

    def send_command(self, command: Command) -> bytes:
        """Return the bytes that say `command`; nothing else than a `Command` can be said."""
        if not isinstance(command, Command):
            raise TypeError(f"not in the list of read-only commands: {command!r}")
        return command.line

    def send_password(self, password: Secret) -> bytes:
        """Return the answer to a `PasswordPrompt`.

        Raises:
            ValueError: a password of several lines, the second of which would be a command.
        """
        line = password.reveal().encode()
        if b"\n" in line:
            raise ValueError("a management password has one line")
        return line + b"\n"

    def receive_data(self, data: bytes) -> list[Message]:
        """Take bytes of the daemon in pieces of any size; return the messages they complete.

        Raises:
            ProtocolError: not the management protocol, or a cap was broken.
        """
        if self._state is _SessionState.FAILED:
            raise ProtocolError("the session has failed before")
        try:
            self._feed(data)
        except ProtocolError:
            self._fail()
            raise
        return self._drain()

    def receive_eof(self) -> list[Message]:
        """Take the end of the stream; return what it cut short, if anything."""
        self._truncate_env()
        self._truncate_reply()
        if self._buffer:
            self._messages.append(Truncated(1))
        self._fail()
        return self._drain()

    def _drain(self) -> list[Message]:
        messages, self._messages = self._messages, []
        return messages

    def _fail(self) -> None:
        self._state = _SessionState.FAILED
        self._buffer = b""
        self._listing = None
        self._env = None

    def _feed(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if lines and max(map(len, lines)) > LINE_LIMIT:
            raise ProtocolError(f"a line of more than {LINE_LIMIT} bytes")
        lines = [line.removesuffix(b"\r") for line in lines]
        # A status of ten thousand clients has thirty thousand lines, nearly all of them rows.
        if self._listing is not None and _NON_ROW_PREFIXES.isdisjoint([line[:1] for line in lines]):
            self._extend_listing(self._listing, lines)
        else:
            for line in lines:
                self._feed_line(line)
        if self._state is _SessionState.LOGIN:
            self._buffer = self._strip_prompts(self._buffer)
        if len(self._buffer) > LINE_LIMIT:
            raise ProtocolError(f"a line of more than {LINE_LIMIT} bytes")

    def _feed_line(self, line: bytes) -> None:
        if self._state is _SessionState.LOGIN:
            self._feed_login_line(line)
        elif line.startswith((b">", b"SUCCESS:", b"ERROR:")) and not self._is_row(line):
            if line.startswith(b">"):
                self._notify(line)
            else:
                self._reply(line)
        elif line == b"END":  # by itself: a list without entries
            self._messages.append(MultilineReply(tuple(self._listing or ())))
            self._listing = None
        elif self._listing is None:
            self._open_listing(line)
        else:
            self._extend_listing(self._listing, [line])

    def _feed_login_line(self, line: bytes) -> None:
        line = self._strip_prompts(line)
        if line.startswith(b"SUCCESS:"):
            self._reply(line)
        elif _NOTIFICATION.match(line):
            self._state = _SessionState.OPEN
            self._notify(line)
        elif line:
            raise ProtocolError(
                "the peer does not speak OpenVPN's management protocol; it began with "
                f"{clean_bytes(line, 64)!r}"
            )

    def _strip_prompts(self, line: bytes) -> bytes:
        while line.startswith(PASSWORD_PROMPT):
            self._messages.append(PasswordPrompt())
            line = line.removeprefix(PASSWORD_PROMPT)
        return line

    def _is_row(self, line: bytes) -> bool:
        """Tell whether a line is a row of the status in format 1 that is under way."""
        return (
            self._listing is not None
            and self._listing[0] == _FORMAT_1_TITLE
            and _FORMAT_1_ROW.fullmatch(line) is not None
        )

    def _reply(self, line: bytes) -> None:
        self._truncate_reply()
        kind, _, text = line.partition(b":")
        text = text.removeprefix(b" ")
        self._messages.append(SuccessReply(text) if kind == b"SUCCESS" else ErrorReply(text))

    def _open_listing(self, line: bytes) -> None:
        if not line:
            self._messages.append(UnexpectedLine(line))
            return
        self._listing = [line]
        self._listing_size = len(line) + LINE_COST

    def _extend_listing(self, listing: list[bytes], lines: list[bytes]) -> None:
        listing += lines
        self._listing_size += sum(map(len, lines)) + len(lines) * LINE_COST
        if self._listing_size > self._reply_limit:
            raise ProtocolError(f"a reply of more than {self._reply_limit} bytes without END")

    def _truncate_reply(self) -> None:
        if self._listing is not None:
            self._messages.append(Truncated(len(self._listing)))
            self._listing = None

    def _truncate_env(self) -> None:
        if self._env is not None:
            self._messages.append(Truncated(self._env.lines))
            self._env = None

    def _notify(self, line: bytes) -> None:
        match = _NOTIFICATION.fullmatch(line)
        if match is None:
            self._messages.append(UnexpectedLine(line))
            return
        source, payload = match[1].decode(), match[2]
        if payload.startswith(b"ENV,"):
            self._add_env(source, payload.removeprefix(b"ENV,"), line)
        elif payload.startswith(_ENV_EVENTS.get(source, ())):
            self._truncate_env()
            self._env = _EnvBlock(source, payload)
        else:
            self._messages.append(Notification(source, payload))

    def _add_env(self, source: str, variable: bytes, line: bytes) -> None:
        if self._env is None or self._env.source != source:
            self._messages.append(UnexpectedLine(line))
        elif variable == b"END":
            if self._env.dropped:
                self._messages.append(Truncated(self._env.dropped))
            self._messages.append(self._env.finish())
            self._env = None
        else:
            self._env.add(variable)
