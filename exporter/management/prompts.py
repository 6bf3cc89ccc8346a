"""When to leave the slot to somebody else: the daemon waits for an answer that we never give.

A daemon has one management client at a time. While it waits for a release, a password or a
decision, whoever holds the slot and doesn't answer keeps away whoever would.
"""

from exporter.management.errors import (
    ClientAuthPromptError,
    HoldPromptError,
    PasswordPromptError,
    PromptError,
)
from exporter.management.notifications import (
    AnswerNeeded,
    ClientEvent,
    Hold,
    ParsedNotification,
    PasswordRequest,
)
from exporter.management.values import OTHER

MANAGEMENT_DISCONNECT = "management-disconnect"
"""Reason of RECONNECTING by which `--management-signal` shows: leaving restarts the VPN."""

HOLD = "hold"
CLIENT_AUTH = "client_auth"

PASSWORD_KINDS = ("Auth", "Private Key", "HTTP Proxy", "SOCKS Proxy")
"""What OpenVPN itself asks passwords for; hardware tokens have names of their own."""

NEED_KEYWORDS = (
    "NEED-OK",
    "NEED-STR",
    "NEED-CERTIFICATE",
    "RSA_SIGN",
    "PK_SIGN",
    "REMOTE",
    "PROXY",
)
"""Keywords of the other messages that wait for an answer."""

PROMPT_KINDS = (*PASSWORD_KINDS, *NEED_KEYWORDS, CLIENT_AUTH, OTHER)
"""Everything but a hold that a daemon can wait for, as label values."""

_AUTHENTICATION_EVENTS = frozenset({"CONNECT", "REAUTH"})


def blocking_prompt(reading: ParsedNotification) -> PromptError | None:
    """Return why the slot should be left at once, None for messages that wait for nobody."""
    match reading:
        case Hold():
            return HoldPromptError(
                "the daemon waits for 'hold release' (--management-hold); release it with the "
                "tool that is meant to",
                HOLD,
            )
        case PasswordRequest(kind=kind):
            return PasswordPromptError(
                f"the daemon waits for a password ({kind}); give it by its management interface, "
                "or put it into a file ('askpass', 'auth-user-pass FILE')",
                password_kind(kind),
            )
        case AnswerNeeded(keyword=source):
            return PasswordPromptError(
                f"the daemon waits for an answer to >{source}; give it by its management interface",
                source,
            )
        case ClientEvent(event=event) if event in _AUTHENTICATION_EVENTS:
            return ClientAuthPromptError(
                "the daemon asks its management client to authenticate VPN clients "
                "(--management-client-auth): that client needs the slot, so this daemon can't be "
                "watched here",
                CLIENT_AUTH,
            )
        case _:
            return None


def password_kind(kind: str) -> str:
    """Fold a kind of password into one of `PASSWORD_KINDS`, or `other`."""
    return kind if kind in PASSWORD_KINDS else OTHER
