"""Prompts: the messages with which a daemon waits for its management client.

A daemon has one management client at a time. The exporter answers no prompt; while it is that
client, no other program can answer. `blocking_prompt` finds the messages that call for leaving.
"""

from exporter.management.errors import (
    ClientAuthPromptError,
    HoldPromptError,
    PasswordPromptError,
    PromptError,
)
from exporter.management.notifications import (
    NEED_KEYWORDS,
    AnswerNeeded,
    ClientEvent,
    Hold,
    LogLine,
    ParsedNotification,
    PasswordRequest,
    StateChange,
)
from exporter.management.state import CLIENT, SERVER, TUNNEL, Modes, State
from exporter.management.values import OTHER

MANAGEMENT_DISCONNECT = "management-disconnect"
"""Reason of RECONNECTING with `--management-signal`: the VPN restarts when the client leaves."""

HOLD = "hold"
CLIENT_AUTH = "client_auth"

PASSWORD_KINDS = ("Auth", "Private Key", "HTTP Proxy", "SOCKS Proxy")
"""The passwords that OpenVPN itself asks for; hardware tokens ask by their own names."""

PROMPT_KINDS = (*PASSWORD_KINDS, *NEED_KEYWORDS, CLIENT_AUTH, OTHER)
"""All prompts but hold, as label values."""


PROMPT_MODES: dict[str, Modes] = {
    "Auth": CLIENT,
    "HTTP Proxy": TUNNEL,
    "SOCKS Proxy": TUNNEL,
    CLIENT_AUTH: SERVER,
}
"""The modes of the prompts that are not in all modes.

OpenVPN refuses `auth-user-pass` without `pull`, a proxy in server mode, and
`management-client-auth` outside of it.
"""


def blocking_prompt(notification: ParsedNotification) -> PromptError | None:
    """Return the error with which to leave the slot, or None if the message is no prompt."""
    match notification:
        case Hold():
            return HoldPromptError(
                "the daemon waits for 'hold release' (--management-hold); release it with the "
                "tool that is meant to",
                HOLD,
            )
        case PasswordRequest(kind=kind):
            sentence = (
                "the daemon waits for a password ({}); give it by its management interface, or "
                "put it into a file ('askpass', 'auth-user-pass FILE')"
            )
            known = password_kind(kind)  # a token has the name that its owner gave it
            return PasswordPromptError(
                sentence.format(kind), known, redacted=sentence.format(known)
            )
        case AnswerNeeded(keyword=keyword):
            return PasswordPromptError(
                f"the daemon waits for an answer to >{keyword}; give it by its management "
                "interface",
                keyword,
            )
        case ClientEvent(event="CONNECT" | "REAUTH"):
            return ClientAuthPromptError(
                "the daemon asks its management client to authenticate VPN clients "
                "(--management-client-auth); that client needs the slot, so the exporter cannot "
                "monitor this daemon",
                CLIENT_AUTH,
            )
        case _:
            return None


def is_for_owner(notification: ParsedNotification) -> bool:
    """Return whether a message that comes through a pass-through is none for this session.

    In a pass-through the histories have all states and log lines. The management client that owns
    the session with the daemon answers for VPN clients and `hold`; such a message comes through
    only if that client took it for the end of another.
    """
    match notification:
        case StateChange() | LogLine() | Hold() | ClientEvent(event="CONNECT" | "REAUTH"):
            return True
        case _:
            return False


def password_kind(kind: str) -> str:
    """Map the name of a password to one of `PASSWORD_KINDS`, or to `other`."""
    return kind if kind in PASSWORD_KINDS else OTHER


def is_management_signal(state: State) -> bool:
    """Return whether the daemon restarted because a management client disconnected."""
    return state.description == MANAGEMENT_DISCONNECT
