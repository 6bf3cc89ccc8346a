"""The thresholds of the rules, one row each."""

import re
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from exporter.config import durations
from exporter.config.pki import EXPIRY_WINDOWS

Placeholders: TypeAlias = dict[str, str]
"""The text of each placeholder in the rules, by its name."""

_SECONDS_A_DAY = 86_400

_WINDOW = 180
"""Seconds over which the rules look at a gauge, so that missed scrapes have no effect."""


def _duration(name: str, text: str) -> Placeholders:
    """Return `name` as Prometheus writes durations, and `name_seconds` for arithmetic in PromQL."""
    seconds = durations.parse_duration(text)
    if not seconds:
        raise ValueError("it must be greater than zero")
    days, remainder = divmod(seconds, _SECONDS_A_DAY)
    number = f"{seconds:g}" if remainder else f"{days:g} * {_SECONDS_A_DAY}"
    return {name: durations.format_duration(seconds), f"{name}_seconds": number}


def _outage(name: str, text: str) -> Placeholders:
    """Return `name` as the wait of an alert, which begins once the window has only outage."""
    seconds = durations.parse_duration(text) - _WINDOW
    if seconds <= 0:
        window = durations.format_duration(_WINDOW)
        raise ValueError(f"it must be more than {window}, in which scrapes may be missed")
    return {name: durations.format_duration(seconds)}


def _count(name: str, text: str) -> Placeholders:
    """Return `name` half a step above the number: increase() extrapolates three events to 3.02."""
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a number of events: write one such as 10")
    return {name: f"{int(text)}.5"}


def _ratio(name: str, text: str) -> Placeholders:
    problem = f"{text!r} is not a ratio: write a number between 0 and 1, as in 0.85"
    try:
        ratio = float(text)
    except ValueError:
        raise ValueError(problem) from None
    if not 0 < ratio < 1:
        raise ValueError(problem)
    return {name: f"{ratio:g}"}


def _rate(name: str, text: str) -> Placeholders:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a number of bytes per second: write one such as 20")
    return {name: str(int(text))}


def _bytes(name: str, text: str) -> Placeholders:
    found = re.fullmatch(r"(\d+)(kB|MB|GB|TB)", text)
    if found is None or not int(found[1]):
        raise ValueError(f"{text!r} is not a number of bytes: write one such as 500MB or 100GB")
    return {name: f"{int(found[1])}e{_EXPONENTS[found[2]]}"}


_EXPONENTS = {"kB": 3, "MB": 6, "GB": 9, "TB": 12}
"""Powers of ten, as in quotas of providers."""


def _window(name: str, text: str) -> Placeholders:
    if text not in EXPIRY_WINDOWS:
        raise ValueError(f"{text!r} is not counted: write one of {', '.join(EXPIRY_WINDOWS)}")
    return {name: text, f"{name}_limit": _duration(name, text)[f"{name}_seconds"]}


class Threshold(msgspec.Struct, frozen=True):
    """One threshold; `fill` returns the placeholders of a value."""

    name: str
    default: str
    fill: Callable[[str, str], Placeholders]
    description: str

    def placeholders(self, text: str) -> Placeholders:
        """Return the placeholders of the value `text`; raises ValueError with how to write it."""
        return self.fill(self.name.replace("-", "_"), text)


THRESHOLDS = (
    Threshold("exporter-down", "5m", _duration, "scrapes of the exporter fail for this time"),
    Threshold("poll-slow", "2s", _duration, "average duration of a poll over 10 minutes"),
    Threshold("daemon-down", "5m", _outage, "a daemon is down for this time"),
    Threshold("not-connected", "7m", _outage, "a daemon is not CONNECTED for this time"),
    Threshold("status-stale", "5m", _duration, "age of the last status"),
    Threshold("reconnects", "3", _count, "reconnects of a daemon in 30 minutes"),
    Threshold("restarts", "3", _count, "restarts of a daemon in 30 minutes"),
    Threshold("packet-errors", "100", _count, "packet errors in 10 minutes"),
    Threshold(
        "availability", "0.8", _ratio, "ratio of 1 hour in which a daemon is up and connected"
    ),
    Threshold(
        "expected-client-missing", "7m", _outage, "an expected client is disconnected for this time"
    ),
    Threshold(
        "expected-client-reconnects",
        "3",
        _count,
        "new sessions of an expected client in 30 minutes",
    ),
    Threshold("idle-client", "20", _rate, "an expected client sends fewer bytes per second"),
    Threshold("clients-near-limit", "0.85", _ratio, "connected clients as a ratio of the limit"),
    Threshold("clients-dropped", "0.5", _ratio, "ratio of connected clients to those before"),
    Threshold("pending-clients", "20", _count, "clients in handshake or authentication"),
    Threshold("auth-failures", "10", _count, "failed logins in 10 minutes"),
    Threshold("auth-failures-slow", "200", _count, "failed logins in 6 hours"),
    Threshold("sessions-replaced", "20", _count, "sessions replaced by a second one in 1 hour"),
    Threshold("tls-failures", "30", _count, "failed TLS handshakes in 10 minutes"),
    Threshold("certificate-soon", "30d", _duration, "warning: time until a certificate expires"),
    Threshold("certificate-urgent", "2d", _duration, "critical: time until a certificate expires"),
    Threshold(
        "client-certificate-soon",
        "14d",
        _window,
        f"time until client certificates expire: {', '.join(EXPIRY_WINDOWS)}",
    ),
    Threshold(
        "revoked-client-connected",
        "135m",
        _outage,
        "a client with a revoked certificate is connected for this time",
    ),
    Threshold("crl-expiring", "2d", _duration, "critical: time until a CRL expires"),
)
"""Those of the alerts."""

USAGE_THRESHOLDS = (
    Threshold(
        "client-quota", "100GB", _bytes, "bytes of a client in 30 days, both directions together"
    ),
)
"""Those of the rules for usage."""
