"""The reasons of RECONNECTING: the descriptions of its entries in the state history."""

import msgspec

from exporter.management.state import ANY_MODE, CLIENT, TUNNEL, Modes
from exporter.management.values import OTHER


class ReconnectReason(msgspec.Struct, frozen=True):
    """The versions of OpenVPN that have a reason, and the modes in which it happens."""

    versions: str
    modes: Modes = TUNNEL


RECONNECT_REASONS = {
    "SIGUSR1": ReconnectReason("2.1-2.8", ANY_MODE),
    "SIGHUP": ReconnectReason("2.1-2.8", ANY_MODE),
    "Could not determine IPv4/IPv6 protocol": ReconnectReason("2.6-2.8"),
    "HTTP proxy error": ReconnectReason("2.6-2.8"),
    "Offending option received from server": ReconnectReason("2.4-2.8", CLIENT),
    "Preresolving failed": ReconnectReason("2.4-2.8", ANY_MODE),
    "auth-failure": ReconnectReason("2.1-2.8", CLIENT),
    "auth-temp-failure": ReconnectReason("2.6-2.8", CLIENT),
    "close_context usr1 to hup": ReconnectReason("2.4-2.8", ANY_MODE),
    "connection initialisation failed": ReconnectReason("2.6-2.8"),
    "connection-failed": ReconnectReason("2.6-2.8"),
    "connection-reset": ReconnectReason("2.1-2.8"),
    "dco-connect-error": ReconnectReason("2.6-2.8"),
    "dco-connect-timeout": ReconnectReason("2.6-2.8"),
    "dco peer stats error": ReconnectReason("2.7-2.8", ANY_MODE),
    "dco update keys error": ReconnectReason("2.6-2.8"),
    "decryption-error": ReconnectReason("2.1-2.8"),
    "init_instance": ReconnectReason("2.1-2.8", ANY_MODE),
    "ip-fail": ReconnectReason("2.1-2.8"),
    "management-disconnect": ReconnectReason("2.1-2.8", ANY_MODE),
    "network-unreachable": ReconnectReason("2.4-2.8"),
    "no-push-reply": ReconnectReason("2.3-2.8", CLIENT),
    "ping-restart": ReconnectReason("2.1-2.8"),
    "private-key-password-failure": ReconnectReason("2.1-2.8", ANY_MODE),
    "process-push-msg-failed": ReconnectReason("2.4-2.8"),
    "remote-exit": ReconnectReason("2.6-2.8"),
    "server-pushed-connection-reset": ReconnectReason("2.1-2.8", CLIENT),
    "server_poll": ReconnectReason("2.1-2.8"),
    "socks-error": ReconnectReason("2.6-2.8"),
    "socks-resolve-failure": ReconnectReason("2.6-2.8"),
    "tls-error": ReconnectReason("2.1-2.8"),
    "tun-abort": ReconnectReason("2.3-2.8", ANY_MODE),
    # Texts of SIGTERM; RECONNECTING has one only if SIGUSR1 arrives at the same moment.
    "exit-with-notification": ReconnectReason("2.1-2.8"),
    "server-pushed-halt": ReconnectReason("2.3-2.8", CLIENT),
    "session-timeout": ReconnectReason("2.6-2.8"),
    "tun-stop": ReconnectReason("2.1-2.8", ANY_MODE),
    OTHER: ReconnectReason("any", ANY_MODE),
}
"""Descriptions of RECONNECTING; version 2.8 is OpenVPN's master. Any other text is `other`.

They are the names of signals, and the texts given with SIGUSR1 or SIGHUP. Up to 2.5 `init_instance`
stands for `connection-failed`, `socks-error` and others.

A server reconnects for what its own start or its TUN device meets. What goes wrong with a peer
(`ping-restart`, `tls-error`, `connection-reset`) ends the instance of that client, whose signals
and texts are never the daemon's. A server can't have a proxy. Only a client, which pulls its
options, is pushed a reset or fails to log in.
"""


def reconnect_reason(description: str) -> str:
    """Map a description to one of `RECONNECT_REASONS`; `auth-failure (…)` is `auth-failure`."""
    reason = description.partition(" (")[0]
    return reason if reason in RECONNECT_REASONS else OTHER
