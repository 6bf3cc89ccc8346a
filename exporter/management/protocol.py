"""OpenVPN's management interface, client side, without I/O: bytes to messages, commands to bytes.

`--management HOST PORT` or `--management PATH unix` makes OpenVPN listen for management clients;
with `--management-client` it connects to the client instead. It serves one client at a time: a
second connection stays silent until the first is closed. Both sides send lines of text; OpenVPN
ends its lines in CR LF. A session, with the client's lines marked `<`:

    ENTER PASSWORD:                 only if a management password is set; no line end follows
    < secret
    SUCCESS: password is correct    a wrong password only repeats the prompt
    >INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info
    < pid
    SUCCESS: pid=17954
    < uptime
    ERROR: unknown command, enter 'help' for more options
    < state all
    >LOG:1795406690,D,MANAGEMENT: CMD 'state all'
    1795406665,CONNECTING,,,,,,
    1795406667,CONNECTED,SUCCESS,10.8.0.1,,,,
    END
    >CLIENT:ESTABLISHED,0
    >CLIENT:ENV,common_name=alice
    >CLIENT:ENV,END
    < quit

Three kinds of message come from the daemon:

- A reply to a command: one line `SUCCESS: TEXT`, one line `ERROR: TEXT`, or several lines that end
  with the line `END`. Replies come in the order of the commands and do not name them.
- A real-time message `>KEYWORD:PAYLOAD`. It comes at any time, even before or within the reply to
  a command. `>INFO:` is the greeting; commands are accepted from then on.
- The ENV block of a `>CLIENT:` or `>UPDOWN:` message: lines `>KEYWORD:ENV,NAME=VALUE`, ended by
  `>KEYWORD:ENV,END`.

`ManagementProtocol` frames these messages. Their content is parsed in `replies`, `status` and
`notifications`. Its rules:

- A message is complete or is not reported. A message that was cut short is reported as
  `Truncated`, without its content.
- Framing does not depend on the command that was sent. Every line that is nothing else begins or
  continues a multi-line reply. A `SUCCESS:` or `ERROR:` line within one shows that its `END` is
  missing: OpenVPN drops a status row of 512 bytes, and with it the rest of the reply.
- In status format 1 a row begins with the client's common name, which may be `>FATAL:x` or
  `SUCCESS: x`. The end of the row shows that it is one.
- All that is kept has a limit. Exceeding the limit of a line or of a reply raises `ProtocolError`
  and ends the session. An ENV block drops the variables beyond its limits.
"""

import enum
import re

from exporter.management.banners import protocol_of
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
from exporter.management.reply_lines import CRLF, LineBlock, LinesBuilder, has_longer_line
from exporter.management.values import clean_bytes
from exporter.secret import Secret

LINE_LIMIT = 16 * 1024
"""Bytes of one line; OpenVPN's own lines have at most 10,239 (ERR_BUF_SIZE, 2.6)."""

REPLY_LIMIT = 64 * 1024 * 1024
"""Bytes of a multi-line reply, `LINE_COST` a line included: 100,000 clients with their routes."""

REPLY_LINE_LIMIT = 400_000
"""Lines of a multi-line reply: those of 100,000 clients with three routes each."""

LOGIN_LINE_LIMIT = 100
"""Lines before the greeting; OpenVPN sends four at most."""

LINE_COST = 64
"""Memory of a kept line in addition to its bytes, so that many short lines count, too."""

ENV_LIMIT = 1024
"""Variables kept of an ENV block; OpenVPN sends about 60."""

ENV_SIZE_LIMIT = 256 * 1024
"""Bytes kept of an ENV block, `LINE_COST` a line included; OpenVPN sends about 6,000."""

PASSWORD_PROMPT = b"ENTER PASSWORD:"

_NOTIFICATION = re.compile(rb">([A-Z][A-Z0-9_-]*):(.*)", re.DOTALL)
_ENV_EVENTS = {
    "CLIENT": (b"CONNECT,", b"REAUTH,", b"ESTABLISHED,", b"DISCONNECT,", b"CR_RESPONSE,"),
    "UPDOWN": (b"UP", b"DOWN"),
}
"""How the payloads begin that an ENV block follows, by keyword."""

_SECRET_VARIABLES = (b"password=", b"auth_token=")

_NO_ROW = b">SE"
"""First bytes of the lines that may end a reply: notifications, `SUCCESS:`, `ERROR:`, `END`."""

_LINE_OF_NO_ROW = re.compile(rb"\n[%b]" % _NO_ROW)

_FORMAT_1_TITLE = b"OpenVPN CLIENT LIST"
_FORMAT_1_ROW = re.compile(  # a row ends in an address, two numbers and a date in either spelling
    rb".*,[^,]*,\d+,\d+,"
    rb"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})",
    re.DOTALL,
)


class _SessionState(enum.Enum):
    LOGIN = enum.auto()
    OPEN = enum.auto()
    FAILED = enum.auto()


class _EnvBlock:
    """A notification whose ENV block is not complete."""

    def __init__(self, keyword: str, payload: bytes) -> None:
        self.keyword = keyword
        self.payload = payload
        self.variables: list[bytes] = []
        self.line_count = 1
        self.dropped = 0
        self._size = len(payload) + LINE_COST

    def add(self, variable: bytes) -> None:
        self.line_count += 1
        if variable.startswith(_SECRET_VARIABLES):
            return
        size = self._size + len(variable) + LINE_COST
        if len(self.variables) < ENV_LIMIT and size <= ENV_SIZE_LIMIT:
            self.variables.append(variable)
            self._size = size
        else:
            self.dropped += 1


class ManagementProtocol:
    """One management session: its framing, its login, and what may be sent.

    Pass received bytes to `receive_data`, and the end of the stream to `receive_eof`. Send the
    bytes that `send_command` and `send_password` return.
    """

    def __init__(self, *, reply_limit: int = REPLY_LIMIT) -> None:
        self._reply_limit = reply_limit
        self._state = _SessionState.LOGIN
        self._buffer = b""
        self._messages: list[Message] = []
        self._reply = LinesBuilder()
        self._env: _EnvBlock | None = None
        self._login_lines = 0
        self._password_sent = False
        # A pass-through ends each real-time message, or several with the reply after them, with an
        # empty line.
        self._empty_line_expected = False
        self.other_lines = 0
        """Lines so far that are neither log lines nor of a multi-line reply."""
        self.other_bytes = 0
        """The bytes of these lines."""

    @property
    def greeted(self) -> bool:
        """Whether the greeting was received: the daemon accepts commands."""
        return self._state is _SessionState.OPEN

    def send_command(self, command: Command) -> bytes:
        """Return the bytes of `command`.

        Raises:
            TypeError: not a `Command`; nothing else can be sent.
        """
        if not isinstance(command, Command):
            raise TypeError(f"not in the list of read-only commands: {command!r}")
        return command.line

    def send_password(self, password: Secret) -> bytes:
        """Return the answer to a `PasswordPrompt`.

        Raises:
            ValueError: the password has several lines; the daemon would take the second as a
                command.
        """
        line = password.reveal().encode()
        if b"\n" in line:
            raise ValueError("a management password has one line")
        self._password_sent = True
        return line + b"\n"

    def receive_data(self, data: bytes, line_ends: int | None = None) -> list[Message]:
        """Process received bytes, cut anywhere; return the messages that they complete.

        `line_ends` is the number of line ends among them, if it is known.

        Raises:
            ProtocolError: not the management protocol, or a limit is exceeded. The session has
                failed, and further calls raise the error again.
        """
        if self._state is _SessionState.FAILED:
            raise ProtocolError("the session has failed before")
        try:
            self._feed(data, data.count(b"\n") if line_ends is None else line_ends)
        except ProtocolError:
            self._fail()
            raise
        messages, self._messages = self._messages, []
        return messages

    def receive_eof(self) -> list[Message]:
        """Process the end of the stream; return `Truncated` for each message that it cuts short."""
        self._truncate_env()
        self._truncate_reply()
        if self._buffer:
            self._messages.append(Truncated(1))
        self._fail()
        messages, self._messages = self._messages, []
        return messages

    def _fail(self) -> None:
        self._state = _SessionState.FAILED
        self._buffer = b""
        self._reply = LinesBuilder()
        self._env = None

    def _feed(self, data: bytes, line_ends: int) -> None:
        end = data.rfind(b"\n") + 1
        if end:
            text = b"".join((self._buffer, memoryview(data)[:end]))
            self._buffer = data[end:]
            self._feed_text(text, line_ends)
        else:
            self._buffer += data
        if self._state is _SessionState.LOGIN:
            self._buffer = self._strip_prompts(self._buffer)
        if len(self._buffer) > LINE_LIMIT:
            raise ProtocolError(f"a line of more than {LINE_LIMIT} bytes")

    def _feed_text(self, text: bytes, line_ends: int) -> None:
        """Process so many whole lines."""
        if has_longer_line(text, LINE_LIMIT):
            raise ProtocolError(f"a line of more than {LINE_LIMIT} bytes")
        start = 0
        while start < len(text):
            if self._reply and text[start] not in _NO_ROW:
                # A status of ten thousand clients has thirty thousand lines, nearly all of them
                # rows: they are not split here.
                other = _LINE_OF_NO_ROW.search(text, start)
                rows = text[start : other.start() + 1 if other else len(text)]
                count = line_ends if len(rows) == len(text) else rows.count(b"\n")
                self._extend_reply(LineBlock(rows, count))
                start += len(rows)
            else:
                stop = text.index(b"\n", start)
                self._feed_line(text[start:stop].removesuffix(b"\r"))
                start = stop + 1

    def _feed_line(self, line: bytes) -> None:
        if self._state is _SessionState.LOGIN:
            self._feed_login_line(line)
        elif line.startswith((b">", b"SUCCESS:", b"ERROR:")) and not (
            self._reply and self._is_format_1_row(line)
        ):
            self._count_other(line)
            if line.startswith(b">"):
                self._add_notification(line)
            else:
                self._add_reply(line)
        elif line == b"END":  # without preceding lines: an empty list
            if not self._reply:
                self._count_other(line)
            self._messages.append(MultilineReply(self._reply.build()))
            self._reply = LinesBuilder()
        elif line or self._reply:
            self._extend_reply(LineBlock(line + CRLF, 1))
        else:
            self._count_other(line)
            if not self._empty_line_expected:
                self._messages.append(UnexpectedLine(line))
            self._empty_line_expected = False

    def _count_other(self, line: bytes) -> None:
        if not line.startswith(b">LOG:"):
            self.other_lines += 1
            self.other_bytes += len(line)

    def _feed_login_line(self, line: bytes) -> None:
        self._login_lines += 1
        if self._login_lines > LOGIN_LINE_LIMIT:
            raise ProtocolError(f"more than {LOGIN_LINE_LIMIT} lines before the greeting")
        line = self._strip_prompts(line)
        if line.startswith(b"SUCCESS:") or (line.startswith(b"ERROR:") and self._password_sent):
            self._add_reply(line)
        elif _NOTIFICATION.match(line):
            self._state = _SessionState.OPEN
            self._add_notification(line)
        elif line:
            other = protocol_of(line)
            text = "the peer does not speak OpenVPN's management protocol"
            if other is not None:
                text = f"the peer speaks {other}, not OpenVPN's management protocol"
            began = f"{text}; it began with {clean_bytes(line, 64)!r}"
            raise ProtocolError(began, redacted=text)

    def _strip_prompts(self, line: bytes) -> bytes:
        end = 0
        while line.startswith(PASSWORD_PROMPT, end):
            self._messages.append(PasswordPrompt())
            end += len(PASSWORD_PROMPT)
        return line[end:]

    def _is_format_1_row(self, line: bytes) -> bool:
        return self._reply.first == _FORMAT_1_TITLE and bool(_FORMAT_1_ROW.fullmatch(line))

    def _add_reply(self, line: bytes) -> None:
        if self._reply:
            self._truncate_reply()
        kind, _, text = line.partition(b":")
        text = text.removeprefix(b" ")
        self._messages.append(SuccessReply(text) if kind == b"SUCCESS" else ErrorReply(text))

    def _extend_reply(self, lines: LineBlock) -> None:
        reply = self._reply
        reply.add(lines)
        if reply.size + len(reply) * LINE_COST > self._reply_limit:
            raise ProtocolError(f"a reply of more than {self._reply_limit} bytes without END")
        if len(reply) > REPLY_LINE_LIMIT:
            raise ProtocolError(f"a reply of more than {REPLY_LINE_LIMIT} lines without END")

    def _truncate_reply(self) -> None:
        if self._reply:
            self._messages.append(Truncated(len(self._reply)))
            self._reply = LinesBuilder()

    def _add_notification(self, line: bytes) -> None:
        match = _NOTIFICATION.fullmatch(line)
        if match is None:
            self._messages.append(UnexpectedLine(line))
            return
        keyword, payload = match[1].decode(), match[2]
        self._empty_line_expected = keyword != "INFO"
        if payload.startswith(b"ENV,"):
            self._add_env(keyword, payload.removeprefix(b"ENV,"), line)
        elif payload.startswith(_ENV_EVENTS.get(keyword, ())):
            self._truncate_env()
            self._env = _EnvBlock(keyword, payload)
        else:
            self._messages.append(Notification(keyword, payload))

    def _add_env(self, keyword: str, variable: bytes, line: bytes) -> None:
        env = self._env
        if env is None or env.keyword != keyword:
            self._messages.append(UnexpectedLine(line))
        elif variable == b"END":
            if env.dropped:
                self._messages.append(Truncated(env.dropped))
            self._messages.append(Notification(keyword, env.payload, tuple(env.variables)))
            self._env = None
        else:
            env.add(variable)

    def _truncate_env(self) -> None:
        if self._env is not None:
            self._messages.append(Truncated(self._env.line_count))
            self._env = None
