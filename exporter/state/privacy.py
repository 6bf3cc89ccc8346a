"""Privacy of clients: how their names and addresses are shown.

A common name, a user name or an address can identify a person. All code that shows one of them
passes it through `Privacy` first.
"""

import functools
import hashlib
import ipaddress
from typing import Protocol

import msgspec

from exporter.config.expected_clients import is_pattern
from exporter.config.schema import ClientsConfig, Config, DaemonConfig, PrivacyMode
from exporter.management.values import UNDEFINED

_DIGEST_SIZE = 8
"""Bytes: among a million names, two have the same pseudonym with a chance of 1 in 40 million."""

REDACTED = "***"
"""Replaces a name where an empty text is not possible."""

_CACHE_SIZE = 32_768
"""Cached pseudonyms: more than the clients of one daemon by default."""

_PREFIX_LENGTHS = {4: 24, 6: 48}
"""The networks that a provider assigns to many customers (IPv4), and to one site (IPv6)."""


class Privacy(Protocol):
    """How names and addresses are shown."""

    @property
    def shows_clients(self) -> bool:
        """Whether there are series of single clients."""

    @property
    def shows_raw_text(self) -> bool:
        """Whether text of the daemon, which may contain a client's name, is shown as it is."""

    def name(self, name: str, /) -> str:
        """Return the text to show for a common name or user name."""

    def address(self, address: str, /) -> str:
        """Return the text to show for an address without a port, or for a network."""


class PlainPrivacy:
    """Names and addresses are shown as they are."""

    shows_clients = True
    shows_raw_text = True

    def name(self, name: str, /) -> str:
        """Return the name."""
        return name

    def address(self, address: str, /) -> str:
        """Return the address."""
        return address


class PseudonymPrivacy:
    """Names are shown as keyed digests, addresses as networks.

    The same name under the same key has the same pseudonym everywhere. Without the key, trying
    names does not reveal which pseudonym is whose.
    """

    shows_clients = True
    shows_raw_text = False

    def __init__(self, key: bytes) -> None:
        """`key` may have any length."""
        self._key = hashlib.blake2s(key).digest()
        # A poll shows each name several times.
        self._digest = functools.lru_cache(maxsize=_CACHE_SIZE)(self._make_digest)

    def name(self, name: str, /) -> str:
        """Return `p-` and sixteen hexadecimal digits; an empty name stays empty."""
        return name if name in {"", UNDEFINED} else self._digest(name)

    def _make_digest(self, name: str) -> str:
        digest = hashlib.blake2s(
            name.encode("utf-8", "surrogatepass"), key=self._key, digest_size=_DIGEST_SIZE
        )
        return f"p-{digest.hexdigest()}"

    def address(self, address: str, /) -> str:
        """Return the /24 or /48 network of an address; empty for other text."""
        host = address.partition("%")[0].removesuffix("C")  # a zone; a host learned from traffic
        try:
            interface = ipaddress.ip_interface(host)
        except ValueError:
            return ""
        length = min(_PREFIX_LENGTHS[interface.version], interface.network.prefixlen)
        return str(interface.network.supernet(new_prefix=length))


class NoClientsPrivacy:
    """Clients are not shown; every text is empty."""

    shows_clients = False
    shows_raw_text = False

    def name(self, _: str, /) -> str:
        """Return an empty text."""
        return ""

    def address(self, _: str, /) -> str:
        """Return an empty text."""
        return ""


def redacted(daemon: DaemonConfig, clients: ClientsConfig) -> DaemonConfig:
    """Return the configuration of a daemon to show: `expected_clients` are names of clients."""
    name = privacy_for(daemon, clients).name
    expected = tuple(name(client) or REDACTED for client in daemon.expected_clients)
    return msgspec.structs.replace(daemon, expected_clients=expected)


def redacted_items(config: Config) -> tuple[str, ...]:
    """Return `expected_clients` of the top level to show: patterns are parts of names."""
    privacy = strictest_privacy(config)
    if privacy.shows_raw_text:
        return config.expected_clients
    return tuple(
        REDACTED if is_pattern(item) else privacy.name(item) or REDACTED
        for item in config.expected_clients
    )


def strictest_privacy(config: Config) -> Privacy:
    """Return the strictest privacy of all daemons, for what is said of them together."""
    modes = {daemon.privacy for daemon in config.daemons if daemon.privacy is not None}
    modes.add(config.clients.privacy)
    return _privacy(max(modes, key=list(PrivacyMode).index), config.clients)


def privacy_for(daemon: DaemonConfig, clients: ClientsConfig) -> Privacy:
    """Return the privacy of a daemon's clients, by its own setting or the general one."""
    return _privacy(daemon.privacy or clients.privacy, clients)


def _privacy(mode: PrivacyMode, clients: ClientsConfig) -> Privacy:
    match mode:
        case PrivacyMode.PLAIN:
            return PlainPrivacy()
        case PrivacyMode.PSEUDONYM if clients.privacy_key_file is not None:
            return PseudonymPrivacy(clients.privacy_key_file.reveal())
        case _:
            return NoClientsPrivacy()
