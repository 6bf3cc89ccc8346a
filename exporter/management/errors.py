"""The errors that prevent or end a management session, each with its `DownReason`.

ManagementError
├── ConnectionRefused            nothing listens at the address
├── EndpointNotFound             no such socket, host name or file, or no daemon has connected
├── EndpointUnreachable          the system or the network cannot reach the address
├── EndpointPermissionError      no permission, or closed before the first byte
├── SlotBusy                     accepted, but silent: another client holds the single slot
│   └── SlotHeld                 …, and it is a known process of this host
├── ReplyTimeout                 no complete answer in time
├── AuthenticationFailed         the management password is wrong or missing
├── PasswordFileError            the exporter's own password file cannot be used
├── ProtocolError                not the management protocol, or a limit exceeded
│   └── ReplyError               a complete reply that cannot be parsed
├── SessionClosed                the session was closed
├── StaleStatusFileError         the status file is too old
├── LogFloodError                the exporter left: too many log lines
├── LineFloodError               the exporter left: too many other lines
└── PromptError                  the exporter left: the daemon waits for its management client
    ├── HoldPromptError          for `hold release`
    ├── PasswordPromptError      for a password or another answer
    └── ClientAuthPromptError    for a decision on each VPN client
"""

import enum
from typing import ClassVar, Self


class DownReason(enum.StrEnum):
    """The values of the label `reason` of `openvpn_down_reason`."""

    REFUSED = "refused"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    PERMISSION = "permission"
    BUSY = "busy"
    TIMEOUT = "timeout"
    AUTH = "auth"
    PROTOCOL = "protocol"
    CLOSED = "closed"
    HOLD = "hold"
    PROMPT = "prompt"
    CLIENT_AUTH = "client_auth"
    STALE = "stale"


class ManagementError(Exception):
    """An error that prevents or ends a management session.

    `str()` is one sentence for the operator: where, what, and what to do. `redacted` is that
    sentence without text that the peer chose, which may name a VPN client.
    """

    reason: ClassVar[DownReason] = DownReason.PROTOCOL

    def __init__(self, sentence: str = "", *, redacted: str | None = None) -> None:
        """By default the sentence has no text that the peer chose."""
        super().__init__(sentence)
        self.redacted = sentence if redacted is None else redacted

    def of_peer(self, peer: str) -> Self:
        """Return the error with the peer's address before its sentence."""
        return type(self)(f"{peer}: {self}", redacted=f"{peer}: {self.redacted}")


class ConnectionRefused(ManagementError):
    """Nothing listens at the address: the daemon is not running, or the address is wrong."""

    reason = DownReason.REFUSED


class EndpointNotFound(ManagementError):
    """No such socket, host name or status file, or no daemon has connected to our listener."""

    reason = DownReason.NOT_FOUND


class EndpointUnreachable(ManagementError):
    """The system or the network cannot reach the address, or the status file cannot be read."""

    reason = DownReason.UNREACHABLE


class EndpointPermissionError(ManagementError):
    """No permission on the socket or status file, or the daemon closed before the first byte.

    The second is how `--management-client-user` and `--management-client-group` reject a client.
    """

    reason = DownReason.PERMISSION


class SlotBusy(ManagementError):
    """The connection is accepted but silent, or queued: another client holds the single slot."""

    reason = DownReason.BUSY


class SlotHeld(SlotBusy):
    """A known process of this host holds the slot."""


class ReplyTimeout(ManagementError):
    """The greeting, a complete reply or the status file did not come in time."""

    reason = DownReason.TIMEOUT


class AuthenticationFailed(ManagementError):
    """The daemon asks for the management password, and ours is wrong or missing."""

    reason = DownReason.AUTH


class PasswordFileError(ManagementError):
    """The exporter's file with the management password cannot be used; no session is opened."""

    reason = DownReason.AUTH


class ProtocolError(ManagementError):
    """The received bytes are not the management protocol or no status, or exceed a limit."""

    reason = DownReason.PROTOCOL


class ReplyError(ProtocolError):
    """A complete reply that cannot be parsed as the reply to its command."""

    def __init__(self, sentence: str = "") -> None:
        """The sentence may quote the reply."""
        super().__init__(
            sentence, redacted="reply could not be parsed (content hidden by 'privacy')"
        )


class SessionClosed(ManagementError):
    """The session was closed: by the daemon, by the network or by the exporter."""

    reason = DownReason.CLOSED


class StaleStatusFileError(ManagementError):
    """The daemon has not written its status file for too long."""

    reason = DownReason.STALE


class LogFloodError(ManagementError):
    """The exporter left, because the daemon sends too many log lines.

    From verb 8 on each line that the daemon sends makes it write more lines, and it no longer
    reads commands such as `log off`.
    """

    reason = DownReason.PROTOCOL


class LineFloodError(ManagementError):
    """The exporter left, because the daemon sends too many lines that are no reply."""

    reason = DownReason.PROTOCOL


class PromptError(ManagementError):
    """The exporter left, because the daemon waits for its management client.

    `prompt_kind` is what the daemon waits for, as a label value: `hold`, `Auth`, `NEED-OK`, ….
    """

    reason = DownReason.PROMPT

    def __init__(self, sentence: str, prompt_kind: str, *, redacted: str | None = None) -> None:
        super().__init__(sentence, redacted=redacted)
        self.prompt_kind = prompt_kind


class HoldPromptError(PromptError):
    """The daemon waits for `hold release`."""

    reason = DownReason.HOLD


class PasswordPromptError(PromptError):
    """The daemon waits for a password, a signature, an address or another answer."""

    reason = DownReason.PROMPT


class ClientAuthPromptError(PromptError):
    """The daemon waits for its management client to accept or reject each VPN client.

    A management client that does not answer locks out all of them, and receives their passwords.
    """

    reason = DownReason.CLIENT_AUTH
