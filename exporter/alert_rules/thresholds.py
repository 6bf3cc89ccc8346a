"""What a user can set of the rules: one row a threshold."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from exporter.config import durations

Placeholders: TypeAlias = dict[str, str]
"""What fills the places of the rules, by the name of the place."""

_SECONDS_A_DAY = 86_400


def _duration(place: str, text: str) -> Placeholders:
    """Fill `place` as Prometheus writes durations, and `place_seconds` as PromQL counts them."""
    seconds = durations.parse_duration(text)
    if not seconds:
        raise ValueError("it must be longer than nothing")
    days, rest = divmod(seconds, _SECONDS_A_DAY)
    number = f"{seconds:g}" if rest else f"{days:g} * {_SECONDS_A_DAY}"
    return {place: durations.format_duration(seconds), f"{place}_seconds": number}


def _count(place: str, text: str) -> Placeholders:
    """Fill `place` half a step above: increase() says 3.02 of three events."""
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a number of events: write one such as 10")
    return {place: f"{int(text)}.5"}


def _share(place: str, text: str) -> Placeholders:
    problem = f"{text!r} is not a share: write a number between 0 and 1, as in 0.85"
    try:
        share = float(text)
    except ValueError:
        raise ValueError(problem) from None
    if not 0 < share < 1:
        raise ValueError(problem)
    return {place: f"{share:g}"}


def _rate(place: str, text: str) -> Placeholders:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a number of bytes a second: write one such as 20")
    return {place: str(int(text))}


class Threshold(msgspec.Struct, frozen=True):
    """One value that a user can set; `fill` says how it stands in the rules."""

    name: str
    default: str
    fill: Callable[[str, str], Placeholders]
    meaning: str

    def places(self, text: str) -> Placeholders:
        """Return what `text` fills, raise ValueError with how to write it."""
        return self.fill(self.name.replace("-", "_"), text)

    @property
    def is_duration(self) -> bool:
        """Whether its value is a time."""
        return self.fill is _duration


THRESHOLDS = (
    Threshold("exporter-down", "5m", _duration, "how long an exporter may fail to answer"),
    Threshold("poll-slow", "2s", _duration, "how long a daemon may take to answer, on average"),
    Threshold("daemon-down", "3m", _duration, "how long a daemon may be down, and two minutes"),
    Threshold("not-connected", "5m", _duration, "how long it may be unconnected, and two minutes"),
    Threshold("status-stale", "5m", _duration, "how old the status of a daemon may be"),
    Threshold("reconnects", "3", _count, "how often a daemon may reconnect in 30 minutes"),
    Threshold("restarts", "3", _count, "how often a daemon may restart in 30 minutes"),
    Threshold("packet-errors", "100", _count, "how many packets may be broken in 10 minutes"),
    Threshold(
        "expected-client-missing",
        "5m",
        _duration,
        "how long an expected client may be missing, and two minutes",
    ),
    Threshold(
        "expected-client-reconnects",
        "3",
        _count,
        "how often an expected client may come back in 30 minutes",
    ),
    Threshold("idle-client", "20", _rate, "bytes a second below which an expected client idles"),
    Threshold("clients-near-limit", "0.85", _share, "share of max-clients that is nearly full"),
    Threshold("clients-dropped", "0.5", _share, "share of its clients that a server must keep"),
    Threshold("pending-clients", "20", _count, "how many clients may be in their handshake"),
    Threshold("auth-failures", "10", _count, "how many logins may be refused in 10 minutes"),
    Threshold("tls-failures", "30", _count, "how many handshakes may fail in 10 minutes"),
    Threshold("certificate-soon", "30d", _duration, "how long before its end to warn"),
    Threshold("certificate-urgent", "7d", _duration, "how long before its end to page"),
    Threshold("crl-expiring", "3d", _duration, "how long before a revocation list's end to page"),
)
