"""The beginning of a session: the password prompt, and what it means when no greeting comes.

A wrong password yields no `ERROR`, only the prompt again, and after three tries a silent close.
"""

from exporter.management.errors import (
    AuthenticationFailed,
    EndpointPermissionError,
    ManagementError,
    ProtocolError,
    ReplyTimeout,
    SessionClosed,
    SlotBusy,
)
from exporter.management.messages import Message, Notification, PasswordPrompt
from exporter.management.protocol import ManagementProtocol
from exporter.secret import Secret


class Handshake:
    """The exchange before the greeting: at most one password, and what an early end means."""

    def __init__(self, protocol: ManagementProtocol, password: Secret | None, peer: str) -> None:
        """Log in to `peer`, with `password` if there is one."""
        self._protocol = protocol
        self._password = password
        self._peer = peer
        self._got_bytes = False
        self._answered = False

    def feed(self, data: bytes) -> tuple[list[Message], bytes]:
        """Take bytes, or the end of the stream; return real-time messages and what to send.

        Raises:
            ManagementError: there will be no greeting; the type says why.
        """
        if not data:
            raise self.eof_error()
        self._got_bytes = True
        try:
            messages = self._protocol.receive_data(data)
        except ProtocolError as error:
            raise ProtocolError(f"{self._peer}: {error}") from error
        answer = b"".join(
            self._answer() for message in messages if isinstance(message, PasswordPrompt)
        )
        # The rest are 'SUCCESS: password is correct' and prompts.
        return [message for message in messages if isinstance(message, Notification)], answer

    def _answer(self) -> bytes:
        if self._password is None:
            raise AuthenticationFailed(
                f"{self._peer}: the daemon asks for the management password; set 'password_file'"
            )
        if self._answered:  # no ERROR ever comes, only the prompt again
            raise AuthenticationFailed(
                f"{self._peer}: the daemon does not accept the password in 'password_file'"
            )
        self._answered = True
        return self._protocol.send_password(self._password)

    def eof_error(self) -> ManagementError:
        """Say what it means that the daemon hung up before its greeting."""
        if self._answered:
            return AuthenticationFailed(
                f"{self._peer}: the daemon closed the session after our password"
            )
        if self._got_bytes:
            return SessionClosed(f"{self._peer}: the daemon closed the session before its greeting")
        return EndpointPermissionError(
            f"{self._peer}: closed before a byte was said; the daemon's 'management-client-user' "
            "or 'management-client-group' names another user than this exporter's"
        )

    def timeout_error(self, seconds: float) -> ManagementError:
        """Say what it means that the greeting didn't come in time."""
        if self._got_bytes:
            return ReplyTimeout(f"{self._peer}: no greeting within {seconds:g} s")
        return SlotBusy(
            f"{self._peer}: accepted, but nothing was said within {seconds:g} s: another client "
            "holds the single management slot, or the daemon is stuck"
        )
