"""Authentication of clients, at the server and at the client."""

from exporter.management.log_events.event import LogEvent
from exporter.management.state import CLIENT, SERVER

# The name, which the peer chooses, and the reason end where OpenVPN ends them: neither may contain
# the end of the name again, or a name could forge the rest of the message.
_TEXT = r"(?:(?!\]: ').)*"


def _sent(reason: str) -> str:
    """Return the pattern of the line about AUTH_FAILED that a server sends with this reason."""
    return rf"SENT CONTROL \[{_TEXT}\]: 'AUTH_FAILED{reason}' \(status=-?\d+\)"


def _received(reason: str) -> str:
    """Return the pattern of the line about AUTH_FAILED that a client receives with this reason."""
    return rf"AUTH: Received control message: AUTH_FAILED{reason}"


_OTHER_REASON = r"(?!,(?:CRV1:|TEMP|SESSION))"
"""CRV1 is a challenge, which asks for a second factor: not a failure."""

LOGIN_EVENTS = (
    LogEvent(
        "auth_failed",
        r"TLS Auth Error: Auth Username/Password verification failed for peer"
        r"|WARNING: Failed running command \(--auth-user-pass-verify\): .*"
        r"|PLUGIN_CALL: plugin function PLUGIN_AUTH_USER_PASS_VERIFY failed with status -?\d+: .*"
        rf"|{_sent(_OTHER_REASON + _TEXT)}",
        1,
        "2.1-2.7 (verb 3 for deferred authentication)",
        "TLS Auth Error: Auth Username/Password verification failed for peer",
        "A server rejected a login, for any reason that has no event of its own.",
        SERVER,
    ),
    LogEvent(
        "auth_token_failed",
        r"TLS: Username/auth-token authentication failed for username '.*' ?",
        0,
        "2.4-2.7",
        "TLS: Username/auth-token authentication failed for username 'alice' ",
        "A server rejected an authentication token.",
        SERVER,
    ),
    LogEvent(
        "auth_session_expired",
        r"--auth-(?:gen-token|token-gen): auth-token from client expired"
        r"|Auth-token for client expired"
        r"|Timestamp \(\d+\) of auth-token is out of the re(?:newal|negotiation) window"
        rf"|{_sent(f',SESSION{_TEXT}')}|{_received(',SESSION.*')}",
        0,
        "2.4-2.7",
        "--auth-gen-token: auth-token from client expired",
        "An authentication token has expired: the client has to log in again.",
        SERVER | CLIENT,
    ),
    LogEvent(
        "auth_temporarily_failed",
        rf"{_sent(f',TEMP{_TEXT}')}|{_received(',TEMP.*')}",
        0,
        "2.6-2.7 (verb 3 on a server)",
        "SENT CONTROL [alice]: 'AUTH_FAILED,TEMP[backoff 30]:database is down' (status=1)",
        "A server could not verify a login for the moment; the client tries again.",
        SERVER | CLIENT,
    ),
    LogEvent(
        "auth_error",
        r"TLS Auth Error(?: \(\w+\))?: (?!Auth Username/Password verification failed for peer).*"
        r"|TLS Error: Username \(\d+\) or password \(\d+\) too long",
        1,
        "2.1-2.7",
        "TLS Auth Error: peer provided a blank username",
        "Any other authentication error.",
    ),
    LogEvent(
        "credentials_missing",
        r"TLS Error: Auth Username/Password was not provided by peer",
        1,
        "2.1-2.7",
        "TLS Error: Auth Username/Password was not provided by peer",
        "A client sent no user name and password, which the server requires.",
        SERVER,
    ),
    LogEvent(
        "auth_failed_received",
        rf"{_received(_OTHER_REASON + '.*')}|AUTH: Received AUTH_FAILED control message",
        0,
        "2.1-2.7",
        "AUTH: Received control message: AUTH_FAILED",
        "A client received AUTH_FAILED from its server.",
        CLIENT,
    ),
)
