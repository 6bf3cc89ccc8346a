"""What the web configuration file comes to: who may come in, how, and how often."""

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
    """The rules for who asks; by default everybody is let in, without encryption."""

    tls: ssl.SSLContext | None = None
    """Serves each new connection; None: no TLS."""
    allowed_sans: frozenset[str] = frozenset()
    """A client's certificate must have one of these; any will do where there are none."""
    users: Mapping[str, Secret] = {}
    """The bcrypt hash of each user's password; no users: nobody is asked."""
    headers: Mapping[str, str] = {}
    """What every answer carries, by name."""
    rate: Rate | None = None
    files: tuple[FileStamp, ...] = ()
    """Whatever was read, as it was: another content of one of these is another policy."""


ALLOW_ALL = Policy()
"""The policy of who names no web configuration file."""
