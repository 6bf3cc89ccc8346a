"""What the web configuration sets, as values of the web server."""

import ipaddress
import ssl
from collections.abc import Mapping

import msgspec

from exporter.files import FileStamp
from exporter.secret import Secret


class Rate(msgspec.Struct, frozen=True):
    """At most `burst` requests at once, and one more each `interval` seconds."""

    interval: float
    burst: int


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the file sets; by default every request is allowed, without encryption."""

    tls: ssl.SSLContext | None = None
    """Serves each new connection; None: no TLS."""
    allowed_sans: frozenset[str] = frozenset()
    """A client's certificate must have one of these; empty: no SAN is required."""
    users: Mapping[str, Secret] = {}
    """The bcrypt hash of each user's password; empty: no authentication."""
    headers: Mapping[str, str] = {}
    """Headers of every response."""
    rate: Rate | None = None
    files: tuple[FileStamp, ...] = ()
    """The versions of the files that were read; once one has changed, the policy is out of date."""


ALLOW_ALL = Policy()
"""The policy without a web configuration file."""


def canonical_san(name: str) -> str:
    """Return a SAN in its canonical notation; only IP addresses have several."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
