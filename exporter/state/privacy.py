"""What may be shown of the people behind a daemon's clients.

A common name, a user name and an address can be a person. Everything that shows one of them asks
here first.
"""

import functools
import hashlib
import ipaddress
from typing import Protocol

import msgspec

from exporter.config.schema import ClientsConfig, DaemonConfig, PrivacyMode
from exporter.management.values import UNDEFINED

_DIGEST_SIZE = 8
"""Bytes: among a million names, two share a pseudonym with a chance of one in forty million."""

REDACTED = "***"
"""Stands for a name where there has to be something."""

_REMEMBERED = 32_768
"""Pseudonyms kept at once, more than the clients that one daemon shows by default."""

_PREFIX_LENGTHS = {4: 24, 6: 48}
"""What a provider gives to many customers, and to one site."""


class Privacy(Protocol):
    """A way to show names and addresses."""

    @property
    def shows_clients(self) -> bool:
        """Whether there are series of single clients at all."""

    @property
    def shows_raw_text(self) -> bool:
        """Whether the daemon's own words, which may name a client, are shown as they are."""

    def name(self, name: str, /) -> str:
        """Return what to show for a common name or user name."""

    def address(self, address: str, /) -> str:
        """Return what to show for an address without a port, or a network."""


class PlainPrivacy:
    """Shows everything as it is."""

    shows_clients = True
    shows_raw_text = True

    def name(self, name: str, /) -> str:
        """Return the name."""
        return name

    def address(self, address: str, /) -> str:
        """Return the address."""
        return address


class PseudonymPrivacy:
    """Shows a keyed digest of each name, and of an address its network.

    The same name under the same key is the same pseudonym everywhere and for ever. Without the
    key, nobody can tell by trying names which is whose.
    """

    shows_clients = True
    shows_raw_text = False

    def __init__(self, key: bytes) -> None:
        """Use this key, of any length."""
        self._key = hashlib.blake2s(key).digest()
        # A poll shows each name several times.
        self._digest = functools.lru_cache(maxsize=_REMEMBERED)(self._make_digest)

    def name(self, name: str, /) -> str:
        """Return `p-` and sixteen hexadecimal digits; no name stays none."""
        return name if name in {"", UNDEFINED} else self._digest(name)

    def _make_digest(self, name: str) -> str:
        digest = hashlib.blake2s(
            name.encode("utf-8", "surrogatepass"), key=self._key, digest_size=_DIGEST_SIZE
        )
        return f"p-{digest.hexdigest()}"

    def address(self, address: str, /) -> str:
        """Return the /24 or /48 that an address lies in; nothing for what is no IP address."""
        host = address.partition("%")[0].removesuffix("C")  # a zone; a host learned from traffic
        try:
            interface = ipaddress.ip_interface(host)
        except ValueError:
            return ""
        length = min(_PREFIX_LENGTHS[interface.version], interface.network.prefixlen)
        return str(interface.network.supernet(new_prefix=length))


class NoClientsPrivacy:
    """Shows no client at all; whoever asks all the same gets nothing."""

    shows_clients = False
    shows_raw_text = False

    def name(self, _: str, /) -> str:
        """Return nothing."""
        return ""

    def address(self, _: str, /) -> str:
        """Return nothing."""
        return ""


def redacted(daemon: DaemonConfig, clients: ClientsConfig) -> DaemonConfig:
    """Return the configuration of a daemon as it may be shown: it names clients, too."""
    name = privacy_for(daemon, clients).name
    expected = tuple(name(client) or REDACTED for client in daemon.expected_clients)
    return msgspec.structs.replace(daemon, expected_clients=expected)


def privacy_for(daemon: DaemonConfig, clients: ClientsConfig) -> Privacy:
    """Return how the operator wants the clients of a daemon to be shown."""
    match daemon.privacy or clients.privacy:
        case PrivacyMode.PLAIN:
            return PlainPrivacy()
        case PrivacyMode.PSEUDONYM if clients.privacy_key_file is not None:
            return PseudonymPrivacy(clients.privacy_key_file.reveal())
        case _:
            return NoClientsPrivacy()
