"""The daemon's side of one management session, as manage.c has it: bytes in, bytes out.

    protocol.receive(data)
    while (event := protocol.next_event()) is not None:
        ...  # a `Request` is answered with `protocol.reply(...)`, now or later
    send(protocol.output())

A reply is queued whole, so no real-time line comes within one. While a request waits for its
reply, `next_event` returns None: commands are answered in their order. `closed` says that the
connection ends once the output is sent.
"""

import hmac

import msgspec

from exporter.management.server.lexer import InvalidLine, split
from exporter.management.server.replies import encode_lines, error, success

LINE_LIMIT = 1024
"""The byte after this many is lost and empties the buffer, even if it is the line feed."""

READ_SIZE = 256
"""Bytes that OpenVPN reads at once; output is sent between two reads, never within one."""

INPUT_LIMIT = 262_144
"""Bytes that may wait to be read: as many as asyncio reads at once. More close the session."""

PASSWORD_TRIES = 3

_PROMPT = b"ENTER PASSWORD:"
_PRINTABLE = bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
_DROPPED = bytes(set(range(256)) - set(_PRINTABLE) - {0x0A})


class LoggedIn(msgspec.Struct, frozen=True):
    """The password was right, or there is none. Real-time lines are sent from now on."""


class LoginFailed(msgspec.Struct, frozen=True):
    """The last try had a wrong password, too: the session is closed."""


class Request(msgspec.Struct, frozen=True):
    """A command that waits for `reply`: its words, the name first, and the line as received."""

    words: tuple[str, ...]
    line: str

    @property
    def name(self) -> str:
        """The name of the command, known or not."""
        return self.words[0]

    def __repr__(self) -> str:
        # Words and line may hold a password.
        return f"Request({len(self.words)} words)"


class Ignored(msgspec.Struct, frozen=True):
    """A line without a command: blank, a comment, or refused by the lexer and answered already."""

    line: str

    def __repr__(self) -> str:
        return f"Ignored({len(self.line)} characters)"


class Quit(msgspec.Struct, frozen=True):
    """The client sent `quit` or `exit`: the session is closed."""

    line: str


Event = LoggedIn | LoginFailed | Request | Ignored | Quit


class ServerProtocol:
    """The daemon's side of one session; it knows no command but `quit` and `exit`."""

    def __init__(self, *, management_version: int, password: bytes | None = None) -> None:
        """Greet with a version of the interface, after asking for the `password`, if any."""
        self.closed = False
        self._greeting = (
            f">INFO:OpenVPN Management Interface Version {management_version} "
            "-- type 'help' for more info"
        )
        self._password = password
        self._tries = 0
        self._prompt_due = False
        self._logged_in = False
        self._awaits_reply = False
        self._input = bytearray()
        self._eof = False
        self._read = b""
        """The bytes of the current read that are not in a line yet."""

        self._line = bytearray()
        self._pending: list[bytes | bytearray] = []
        self._output: list[bytes | bytearray] = [] if password is None else [_PROMPT]

    @property
    def paused(self) -> bool:
        """Whether input waits for a reply: nothing more should be read from the connection."""
        return self._awaits_reply or self.closed

    def receive(self, data: bytes) -> None:
        """Buffer bytes of the client; more than `INPUT_LIMIT` that wait close the session."""
        if len(self._input) + len(data) > INPUT_LIMIT:
            self.close()
        else:
            self._input += data

    def receive_eof(self) -> None:
        """Record the end of the client's stream: the session closes after the last reply."""
        self._eof = True

    def next_event(self) -> Event | None:
        """Return the next event; None while a reply is due, or more input is needed."""
        if self._password is None and not (self._logged_in or self.closed):
            return self._log_in()
        while not (self._awaits_reply or self.closed):
            line = self._next_line()
            if line is None:
                self.closed = self._eof
                return None
            event = self._command(line) if self._logged_in else self._check(line)
            if event is not None:
                return event
        return None

    def reply(self, data: bytes | bytearray) -> None:
        """Answer the request with a whole reply; empty for a command that has none.

        A reply after the end is dropped.

        Raises:
            RuntimeError: no request waits for a reply.
        """
        if not self._awaits_reply:
            raise RuntimeError("no request waits for a reply")
        self._awaits_reply = False
        if not self.closed:
            self._pending.append(data)

    def notify(self, data: bytes) -> None:
        """Send whole real-time lines; they are dropped before the login and after the end."""
        if self._logged_in and not self.closed:
            self._pending.append(data)

    def flush(self) -> None:
        """Send what a `quit` within the same read would discard.

        A daemon that waits for a hold release or a password sends each reply at once.
        """
        self._output += self._pending
        self._pending.clear()

    def close(self) -> None:
        """End the session once all output is sent."""
        self.flush()
        self._abort()

    def output(self) -> bytes:
        """Return what is to be sent now, and forget it."""
        return b"".join(self.output_parts())

    def output_parts(self) -> list[bytes | bytearray]:
        """Return the same in parts: the objects that were passed, large ones among them."""
        if not self._read:
            self.flush()
        output, self._output = self._output, []
        return output

    def _abort(self) -> None:
        self.closed = True
        self._pending.clear()

    def _next_line(self) -> bytes | None:
        """Return the next line of the input; what was answered within a read is sent after it."""
        while True:
            while self._read:
                if (line := self._feed_line()) is not None:
                    return line
            self._end_read()
            if not self._input:
                return None
            self._read = bytes(self._input[:READ_SIZE]).translate(None, _DROPPED)
            del self._input[:READ_SIZE]

    def _feed_line(self) -> bytes | None:
        """Move bytes from the read to the line; return the line if it is complete."""
        capacity = LINE_LIMIT - len(self._line)
        piece, feed, remaining = self._read.partition(b"\n")
        if len(piece) + len(feed) > capacity:  # the byte after the last that fits is lost
            self._read = self._read[capacity + 1 :]
            self._line.clear()
            return None
        self._read = remaining
        self._line += piece
        if not feed:
            return None
        line = bytes(self._line)
        self._line.clear()
        return line

    def _end_read(self) -> None:
        if self._prompt_due:
            self._pending.append(_PROMPT)
            self._prompt_due = False
        self.flush()

    def _log_in(self) -> LoggedIn:
        self._logged_in = True
        self._prompt_due = False
        self._pending.append(encode_lines((self._greeting,)))
        return LoggedIn()

    def _check(self, line: bytes) -> LoggedIn | LoginFailed | None:
        if hmac.compare_digest(line, self._password or b""):
            self._pending.append(success("password is correct"))
            return self._log_in()
        self._tries += 1
        if self._tries < PASSWORD_TRIES:
            self._prompt_due = True
            return None
        self._abort()
        return LoginFailed()

    def _command(self, line: bytes) -> Request | Ignored | Quit:
        text = line.decode("utf-8", "surrogateescape")
        try:
            words = split(line)
        except InvalidLine as invalid:
            self._pending.append(error(str(invalid)))
            return Ignored(text)
        if not words:
            return Ignored(text)
        if words[0] in ("exit", "quit"):
            self._abort()
            return Quit(text)
        self._awaits_reply = True
        return Request(tuple(words), text)
