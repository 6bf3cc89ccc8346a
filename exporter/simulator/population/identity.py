"""Identities of clients: common name, user name, device and address.

Hostile names have what OpenVPN allows in them: commas, quotes, UTF-8, words of its own protocol.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

_HOSTILE_NAMES = (
    "Doe, John",
    "Zoë Müller 日本",
    "carol ann  smith",
    'dave "the\\rat" o\'neil',
    ">FATAL:not really",
    "END",
    "L" * 64,
)
_FIRST = (
    "ada alan amara anika bruno carla chen dalia diego elif emma farid greta hana hugo ines ivan "
    "jonas kaya kofi lars leila lucia malik mei mila nadia noor olga omar paula pedro priya quinn "
    "rosa ravi sofia sven tariq uma vera wanda xavier yara yuki zofia"
).split()
_DEVICES = ("laptop", "phone", "tablet", "desktop")
_SITES = ("lisbon", "oslo", "porto", "turin", "ghent", "graz", "lodz", "split", "varna", "cork")
_PLATFORMS = (
    ("win", "2.6.14"),
    ("win", "2.5.9"),
    ("mac", "3.11.1"),
    ("linux", "2.6.14"),
    ("android", "3.10.4"),
    ("ios", "3.4.2"),
)
_CIPHERS = ("AES-256-GCM",) * 6 + ("AES-128-GCM", "CHACHA20-POLY1305")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientIdentity:
    """One certificate (and user) on one device."""

    common_name: str
    username: str = "UNDEF"
    host: str = "198.51.100.7"
    ipv6_transport: bool = False
    platform: str = "linux"
    client_version: str = "2.6.14"
    cipher: str = "AES-256-GCM"
    receive_rate: int = 4
    send_rate: int = 12

    def address(self, port: int) -> str:
        """Return the real address as in a status of 2.6: without the port for native IPv6."""
        return self.host if self.ipv6_transport else f"{self.host}:{port}"

    @property
    def peer_info(self) -> list[str]:
        """What the client announces about itself, oldest first, as `IV_NAME=value`."""
        return [
            f"IV_VER={self.client_version}",
            f"IV_PLAT={self.platform}",
            "IV_TCPNL=1",
            "IV_MTU=1600",
            "IV_NCP=2",
            "IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305",
            "IV_PROTO=990",
            "IV_LZO_STUB=1",
            "IV_COMP_STUB=1",
            "IV_COMP_STUBv2=1",
        ]


def make_identities(
    count: int, *, rng: Random, hostile_names: bool = True, duplicate_names: bool = True
) -> list[ClientIdentity]:
    """Make `count` identities; with `hostile_names` the first have such names.

    With `duplicate_names` about one name in twelve occurs twice, on two devices.
    """
    names = itertools.chain(_HOSTILE_NAMES if hostile_names else (), _plain_names())
    result: list[ClientIdentity] = []
    while len(result) < count:
        name = next(names)
        result.append(_make_identity(name, rng=rng))
        if duplicate_names and rng.random() < 1 / 12 and len(result) < count:
            result.append(_make_identity(name, rng=rng))
    return result


def _plain_names() -> Iterator[str]:
    yield from (f"branch-{site}" for site in _SITES)
    yield from (f"{first}-{device}" for device in _DEVICES for first in _FIRST)
    yield from (f"user-{number:05d}" for number in itertools.count())


def _make_identity(name: str, *, rng: Random) -> ClientIdentity:
    platform, client_version = rng.choice(_PLATFORMS)
    ipv6 = rng.random() < 0.1
    busy = rng.paretovariate(1.2)
    receive = 1 + min(int(busy * 40), 400_000)
    return ClientIdentity(
        common_name=name,
        username=name.partition("-")[0] if rng.random() < 0.7 else "UNDEF",
        host=_host(rng, ipv6=ipv6),
        ipv6_transport=ipv6,
        platform=platform,
        client_version=client_version,
        cipher=rng.choice(_CIPHERS),
        receive_rate=receive,
        send_rate=receive * rng.randint(2, 9),
    )


def _host(rng: Random, *, ipv6: bool) -> str:
    """Return an address from the ranges reserved for documentation."""
    if ipv6:
        return f"2001:db8:{rng.randrange(1, 0x10000):x}::{rng.randrange(1, 0x10000):x}"
    network = rng.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{network}.{rng.randrange(1, 255)}"
