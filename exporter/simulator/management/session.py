"""A simulated daemon's session with its management client, without the socket."""

from collections.abc import Callable

from exporter.management.server.protocol import (
    PASSWORD_TRIES,
    Event,
    LoggedIn,
    LoginFailed,
    Request,
    ServerProtocol,
)
from exporter.management.server.replies import encode_lines
from exporter.simulator.daemon.daemon import Daemon
from exporter.simulator.management.commands import execute


class SimulatedSession:
    """A client that holds the daemon's only slot; `closed` once the daemon ends the session.

    `output()` has the replies, and the real-time messages between two commands.
    """

    def __init__(
        self, daemon: Daemon, *, clock: Callable[[], float], password: str | None = None
    ) -> None:
        self._daemon = daemon
        self._clock = clock
        self._protocol = ServerProtocol(
            management_version=daemon.settings.release.management_version,
            password=None if password is None else password.encode(),
        )
        self.advance()
        self._handle_events()

    @property
    def closed(self) -> bool:
        """Whether the connection ends once the output is sent."""
        return self._protocol.closed

    def advance(self) -> None:
        """Advance the daemon to the present; it may send messages, or exit."""
        self._daemon.advance(self._clock())
        if self._daemon.exited:
            self._protocol.close()

    def output(self) -> bytes:
        """Return the bytes to send, each once."""
        return self._protocol.output()

    def receive(self, data: bytes) -> None:
        """Process bytes of the client."""
        self.advance()
        self._protocol.receive(data)
        self._handle_events()

    def receive_eof(self) -> None:
        """Process the end of the client's stream, which closes the session."""
        self._protocol.receive_eof()
        self._handle_events()

    def detach(self) -> None:
        """End the session after its connection was closed."""
        self._protocol.close()
        self._daemon.detach()

    def _handle_events(self) -> None:
        while (event := self._protocol.next_event()) is not None:
            self._handle(event)

    def _handle(self, event: Event) -> None:
        if isinstance(event, LoggedIn):
            if self._daemon.pending_request is not None:
                self._send_line(self._daemon.pending_request)
            self._daemon.attach(self._send_line)
        elif isinstance(event, LoginFailed):
            tries = PASSWORD_TRIES
            text = f"MAN: client connection rejected after {tries} failed password attempts"
            self._daemon.log(0, "W", text)
        else:
            self._log_command(event.line)
            if isinstance(event, Request):
                self._protocol.reply(execute(self._daemon, event.words))
                self.advance()
            if self._daemon.pending_request is not None:
                self._protocol.flush()  # while it waits, OpenVPN sends each reply at once

    def _log_command(self, line: str) -> None:
        if line != "load-stats":
            self._daemon.log(3, "D", f"MANAGEMENT: CMD '{line}'")

    def _send_line(self, line: str) -> None:
        self._protocol.notify(encode_lines((line,)))
