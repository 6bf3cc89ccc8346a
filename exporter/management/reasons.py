"""Why a daemon reconnects: the words it gives as the description of RECONNECTING.

Free text to OpenVPN, so only these become label values. From signal names and the reasons of 2.4
to 2.7.
"""

OTHER = "other"

RECONNECT_REASONS = (
    "SIGUSR1",
    "SIGHUP",
    "Could not determine IPv4/IPv6 protocol",
    "HTTP proxy error",
    "auth-failure",
    "auth-temp-failure",
    "connection-failed",
    "connection-reset",
    "dco-connect-error",
    "dco-connect-timeout",
    "dco peer stats error",
    "exit-with-notification",
    "init_instance",
    "ip-fail",
    "management-disconnect",
    "network-unreachable",
    "no-push-reply",
    "ping-restart",
    "private-key-password-failure",
    "process-push-msg-failed",
    "remote-exit",
    "server-pushed-connection-reset",
    "server-pushed-halt",
    "server_poll",
    "session-timeout",
    "socks-error",
    "socks-resolve-failure",
    "tls-error",
    "tun-abort",
    "tun-stop",
    OTHER,
)

_KNOWN = frozenset(RECONNECT_REASONS)


def reconnect_reason(description: str) -> str:
    """Fold a description into one of `RECONNECT_REASONS`.

    `auth-failure (auth-token)` is `auth-failure`; what is not in the list is `other`.
    """
    word = description.partition(" (")[0]
    return word if word in _KNOWN else OTHER
