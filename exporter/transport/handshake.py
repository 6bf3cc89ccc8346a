"""The login of a session: the password prompt, and the errors if no greeting comes.

After a wrong password the daemon sends no `ERROR`, only the prompt again, and closes the session
after the third attempt. A program in front of it may send an `ERROR` and close. One attempt is made
here.
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
from exporter.management.messages import ErrorReply, Message, Notification, PasswordPrompt
from exporter.management.protocol import ManagementProtocol
from exporter.secret import Secret


class Handshake:
    """The login until the greeting: it answers at most one password prompt."""

    def __init__(self, protocol: ManagementProtocol, password: Secret | None, peer: str) -> None:
        self._protocol = protocol
        self._password = password
        self._peer = peer
        self._got_bytes = False
        self._answered = False

    def feed(self, data: bytes) -> tuple[list[Message], bytes]:
        """Process received bytes, b"" at the end of the stream.

        Returns the real-time messages, and the bytes to send.

        Raises:
            ManagementError: no greeting will come; the type is the reason.
        """
        if not data:
            raise self.eof_error()
        self._got_bytes = True
        try:
            messages = self._protocol.receive_data(data)
        except ProtocolError as error:
            raise error.of_peer(self._peer) from error
        if any(isinstance(message, ErrorReply) for message in messages):
            raise self._refused()  # openvpn-auth-oauth2 says 'ERROR: bad password', and closes
        answer = b"".join(
            self._answer() for message in messages if isinstance(message, PasswordPrompt)
        )
        # The others are prompts and 'SUCCESS: password is correct'.
        return [message for message in messages if isinstance(message, Notification)], answer

    def _answer(self) -> bytes:
        if self._password is None:
            raise AuthenticationFailed(
                f"{self._peer}: the daemon asks for the management password; set 'password_file'"
            )
        if self._answered:  # a repeated prompt is the daemon's only answer to a wrong one
            raise self._refused()
        self._answered = True
        return self._protocol.send_password(self._password)

    def _refused(self) -> ManagementError:
        """Return the error for a wrong password."""
        return AuthenticationFailed(
            f"{self._peer}: the daemon does not accept the password in 'password_file'"
        )

    def eof_error(self) -> ManagementError:
        """Return the error for the end of the stream before the greeting."""
        if self._answered:
            return AuthenticationFailed(
                f"{self._peer}: the daemon closed the session after our password"
            )
        if self._got_bytes:
            return SessionClosed(f"{self._peer}: the daemon closed the session before its greeting")
        return EndpointPermissionError(
            f"{self._peer}: closed before the first byte; the daemon's 'management-client-user' "
            "or 'management-client-group' names another user than this exporter's"
        )

    def timeout_error(self, seconds: float) -> ManagementError:
        """Return the error for a greeting that did not come within `seconds`."""
        if self._got_bytes:
            return ReplyTimeout(f"{self._peer}: no greeting within {seconds:g} s")
        return SlotBusy(
            f"{self._peer}: accepted, but no byte within {seconds:g} s: another client holds the "
            "single management slot, the daemon hangs, or a server listens there that expects the "
            "first byte from its client: HTTP, TLS, or the VPN itself over TCP"
        )
