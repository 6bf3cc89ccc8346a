"""What can go wrong between us and a daemon, as types.

ManagementError                 anything that ends or prevents a management session
├── Refused                     nobody listens at the address
├── EndpointNotFound                    no such socket file, host name, or no daemon dialled in
├── Unreachable                 the network says no
├── EndpointPermissionError           no right on the socket, or closed before a byte was said
├── Busy                        accepted, but nothing said: another client holds the slot
├── ReplyTimeout                    stopped answering in the middle of a session
├── AuthenticationFailed        the management password is wrong or missing
├── PasswordFileError          our file with the password can't be used
├── ProtocolError               what the peer says is not the management protocol
│   └── ReplyError              a reply that can't be understood
├── SessionClosed               the daemon ended the session
├── Stale                       its status file was not written for too long
└── PromptError                we left, so that somebody else can answer the daemon
    ├── Held                    it waits for a release (`--management-hold`)
    ├── Prompted                it waits for a password or another answer
    └── ClientAuthPromptError    it asks its management client to let VPN clients in
LexerError                      a line that OpenVPN's own lexer would refuse
"""

import enum
from typing import ClassVar


class DownReason(enum.StrEnum):
    """Why a management session doesn't work: the values of `openvpn_down_reason`."""

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
    """Ends or prevents a management session; `str()` is one sentence for an operator."""

    reason: ClassVar[DownReason] = DownReason.PROTOCOL


class ConnectionRefused(ManagementError):
    """Nobody listens at the address: the daemon is not running, or the port is wrong."""

    reason = DownReason.REFUSED


class EndpointNotFound(ManagementError):
    """No such socket file, no such host name, or no daemon has dialled in yet."""

    reason = DownReason.NOT_FOUND


class EndpointUnreachable(ManagementError):
    """The operating system found no way to the address."""

    reason = DownReason.UNREACHABLE


class EndpointPermissionError(ManagementError):
    """No right on the socket file, or the daemon closed before it said a byte.

    The second is how `--management-client-user` and `--management-client-group` refuse.
    """

    reason = DownReason.PERMISSION


class SlotBusy(ManagementError):
    """The connection was accepted but nothing was said: another client holds the single slot."""

    reason = DownReason.BUSY


class ReplyTimeout(ManagementError):
    """The daemon stopped answering within the deadline."""

    reason = DownReason.TIMEOUT


class AuthenticationFailed(ManagementError):
    """The daemon asked for the management password and did not accept ours, or we have none."""

    reason = DownReason.AUTH


class PasswordFileError(ManagementError):
    """Our file with the management password can't be read or used; the daemon was not asked."""

    reason = DownReason.AUTH


class ProtocolError(ManagementError):
    """What the peer says is not the management protocol, or breaks one of our caps."""

    reason = DownReason.PROTOCOL


class ReplyError(ProtocolError):
    """A complete reply that does not say what its command asked for."""


class SessionClosed(ManagementError):
    """The daemon ended the session: it exits, or somebody closed it."""

    reason = DownReason.CLOSED


class StaleStatusFileError(ManagementError):
    """The daemon has not written its status file for too long."""

    reason = DownReason.STALE


class LogFloodError(ManagementError):
    """We left, because the daemon writes more log lines than anybody can mean to read.

    From verb 8 on each line that it sends makes more; it never gets to reading `log off` then.
    """

    reason = DownReason.PROTOCOL


class PromptError(ManagementError):
    """We left the slot, because somebody else must answer the daemon and can't while we are in it.

    `waits_for` is what the daemon waits for, as a label: `hold`, `Auth`, `NEED-OK`, ….
    """

    reason = DownReason.PROMPT

    def __init__(self, sentence: str, waits_for: str) -> None:
        """Say what the daemon waits for, and what to do."""
        super().__init__(sentence)
        self.prompt_kind = waits_for


class HoldPromptError(PromptError):
    """The daemon stands still until somebody says `hold release`."""

    reason = DownReason.HOLD


class PasswordPromptError(PromptError):
    """The daemon stands still until somebody gives a password, a certificate or an address."""

    reason = DownReason.PROMPT


class ClientAuthPromptError(PromptError):
    """The daemon asks its management client to authenticate each VPN client.

    Whoever sits in the slot and doesn't answer locks all of them out, and is sent their
    passwords.
    """

    reason = DownReason.CLIENT_AUTH


class LexerError(ValueError):
    """A line that OpenVPN's command lexer refuses; the text says where."""
