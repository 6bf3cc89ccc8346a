"""Counts in a daemon's own log file, whose machine-readable format includes the severity.

It shares no code with the exporter, whose counts must be the same. The daemon must run with
``MACHINE_READABLE``.
"""

import re
from collections import Counter
from collections.abc import Iterator

from tests.real.daemon import Daemon

MACHINE_READABLE = "--machine-readable-output"
LINE = re.compile(r"\d+\.\d+ (?P<flags>[0-9a-f]+) (?P<text>.*)")
MANAGEMENT_LINE = re.compile(r"(?:^| )MANAGEMENT: ")

# OpenVPN's message flags (error.h), the decisive one first.
FLAGS = ((1 << 4, "fatal"), (1 << 5, "error"), (1 << 6, "warning"), (1 << 7, "debug"))
PLAIN_INFORMATION = 1

# The text that identifies each event; no line contains two of them.
EVENT_PATTERNS = {
    "auth_failed": "TLS Auth Error: Auth Username/Password verification failed for peer",
    "auth_failed_received": "AUTH: Received control message: AUTH_FAILED",
    "bad_packet_length": "WARNING: Bad encapsulated packet length from peer",
    "certificate_verify_error": "VERIFY ERROR",
    "client_floated": "floated from",
    "client_limit_reached": "would exceed maximum number of clients",
    "connection_reset": "Connection reset, restarting",
    "ping_timeout": "Inactivity timeout (--ping-restart)",
    "session_replaced": "will cause previous active sessions by this client to be dropped",
    "tls_fatal": "Fatal TLS error",
    "tls_handshake_failed": "TLS Error: TLS handshake failed",
    "tls_negotiation_timeout": "TLS key negotiation failed to occur within",
    "tls_read_error": "TLS Error: TLS object -> incoming plaintext read error",
}


def severities(daemon: Daemon, *, since: int = 0) -> dict[str, float]:
    """Count the lines after a mark by severity, without those about management."""
    return dict(Counter(_severity(flags) for flags, text in _lines(daemon, since)))


def events(daemon: Daemon, *, since: int = 0) -> dict[str, float]:
    """Count the lines after a mark by event."""
    texts = [text for _, text in _lines(daemon, since)]
    found = {event: sum(part in text for text in texts) for event, part in EVENT_PATTERNS.items()}
    return {event: float(times) for event, times in found.items() if times}


def commands(daemon: Daemon) -> list[str]:
    """Return every command of management clients, except `load-stats` (in any log format)."""
    return re.findall(r"MANAGEMENT: CMD '(.*)'", daemon.log)


def _lines(daemon: Daemon, since: int) -> Iterator[tuple[int, str]]:
    for line in daemon.log.split("\n")[since:]:
        match = LINE.fullmatch(line)
        assert match, line
        if not MANAGEMENT_LINE.search(match["text"]):
            yield int(match["flags"], 16), match["text"]


def _severity(flags: int) -> str:
    if flags == PLAIN_INFORMATION:
        return "info"
    return next((name for flag, name in FLAGS if flags & flag), "other")
