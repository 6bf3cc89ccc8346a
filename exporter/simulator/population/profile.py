"""How often clients connect and disconnect, and how often failures happen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnProfile:
    """The behaviour of clients, and the rate of failures.

    Without `churn` all clients stay connected. `session_seconds` and `absence_seconds` are means of
    exponential distributions. Without `duplicate_names` a second session of a name replaces the
    first one, as without `--duplicate-cn`. The others are rates per hour: port scans, wrong
    passwords, certificates of unknown CAs, clients that the `--client-connect` script rejects, and
    addresses that change within a session.
    """

    churn: bool = True
    session_seconds: float = 1800.0
    absence_seconds: float = 600.0
    duplicate_names: bool = True
    port_scans: float = 0.0
    wrong_passwords: float = 0.0
    unknown_cas: float = 0.0
    script_rejections: float = 0.0
    floats: float = 0.0


STATIC = ChurnProfile(churn=False)
"""All clients are connected and stay so."""

BUSY = ChurnProfile(
    port_scans=30, wrong_passwords=12, unknown_cas=6, script_rejections=3, floats=20
)
"""Clients connect and disconnect, and some connections fail."""
