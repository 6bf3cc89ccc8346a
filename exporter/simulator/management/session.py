"""One management client's connection, without the socket: bytes in, bytes out.

Password, lines, their length and their characters, and what happens to output when the client
quits: the manners of manage.c around the commands.
"""

from collections.abc import Callable

from exporter.simulator.daemon.daemon import Daemon
from exporter.simulator.management.commands.registry import execute
from exporter.simulator.management.lexer import BadLine, split

LINE_LIMIT = 1024
"""The byte after this many is lost and empties the buffer, be it the line feed."""

READ_SIZE = 256
"""Bytes that OpenVPN takes per round of its event loop; output is flushed between two."""

TRIES = 3

_PROMPT = b"ENTER PASSWORD:"
_PRINTABLE = bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
_DROPPED = bytes(set(range(256)) - set(_PRINTABLE) - {0x0A})


class Session:
    """A client that holds the slot; it is `closed` when the daemon hangs up.

    `output()` gives what is to be sent, also for what the daemon says between two commands.
    """

    def __init__(
        self, daemon: Daemon, *, clock: Callable[[], float], password: str | None = None
    ) -> None:
        """Greet, or ask for the password."""
        self.closed = False
        self._daemon = daemon
        self._clock = clock
        self._password = None if password is None else password.encode()
        self._tries = 0
        self._line = bytearray()
        self._output: list[bytes] = []
        self._pending: list[str] = []
        self.advance()
        if self._password is None:
            self._welcome()
        else:
            self._output.append(_PROMPT)

    def advance(self) -> None:
        """Let the daemon live until now; it may speak, or exit."""
        self._daemon.advance(self._clock())
        if self._daemon.exited:
            self.closed = True

    def output(self) -> bytes:
        """Return what is to be sent, and forget it."""
        self._flush()
        output, self._output = b"".join(self._output), []
        return output

    def receive(self, data: bytes) -> None:
        """Take bytes of the client."""
        self.advance()
        for start in range(0, len(data), READ_SIZE):
            for byte in data[start : start + READ_SIZE].translate(None, _DROPPED):
                self._take(byte)
                if self.closed:
                    return
            self._flush()

    def detach(self) -> None:
        """End the session from the client's side."""
        self.closed = True
        self._daemon.detach()

    def _flush(self) -> None:
        if self._pending:
            text = "\r\n".join(self._pending) + "\r\n"
            self._output.append(text.encode("utf-8", "surrogateescape"))
            self._pending.clear()

    def _take(self, byte: int) -> None:
        if len(self._line) == LINE_LIMIT:
            self._line.clear()
        elif byte == 0x0A:
            line = bytes(self._line)
            self._line.clear()
            self._process(line)
        else:
            self._line.append(byte)

    def _send_line(self, line: str) -> None:
        self._pending.append(line)

    def _execute(self, words: list[str]) -> None:
        for reply in execute(self._daemon, words):
            self._send_line(reply)
        self.advance()

    def _process(self, line: bytes) -> None:
        if self._password is None:
            self._command(line)
        elif line == self._password:
            self._password = None
            self._pending.append("SUCCESS: password is correct")
            self._welcome()
        else:
            self._refuse()

    def _refuse(self) -> None:
        self._tries += 1
        if self._tries == TRIES:
            self._daemon.log(
                0, "W", f"MAN: client connection rejected after {TRIES} failed password attempts"
            )
            self.closed = True
        else:
            self._output.append(_PROMPT)

    def _welcome(self) -> None:
        version = self._daemon.settings.release.management_version
        self._pending.append(
            f">INFO:OpenVPN Management Interface Version {version} -- type 'help' for more info"
        )
        if self._daemon.pending_request is not None:
            self._pending.append(self._daemon.pending_request)
        self._daemon.attach(self._send_line)

    def _command(self, line: bytes) -> None:
        try:
            words = split(line)
        except BadLine as error:
            self._pending.append(f"ERROR: {error}")
            return
        self._log_command(line, words)
        if words and words[0] in ("exit", "quit"):
            self._quit()
        elif words:
            self._execute(words)

    def _log_command(self, line: bytes, words: list[str]) -> None:
        text = line.decode("utf-8", "surrogateescape")
        if words and words[0] == "password":
            text = "password [...]"
        if text != "load-stats":
            self._daemon.log(3, "D", f"MANAGEMENT: CMD '{text}'")

    def _quit(self) -> None:
        """Hang up; what wasn't sent yet is lost, but for a waiting daemon, which sends at once."""
        if self._daemon.pending_request is None:
            self._pending.clear()
        self.closed = True
