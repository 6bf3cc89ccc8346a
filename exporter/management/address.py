"""Addresses as the daemon prints them, of peers and inside the tunnel.

An address that fits no shape is kept as it is: a row still counts when its address is odd.
"""

import re

import msgspec

_PROTOCOL = re.compile(r"((?:udp|tcp)[46]?(?:-server|-client)?):(.+)")
_BRACKETED = re.compile(r"\[([^\]]+)\](?::([0-9]{1,5}))?")
_HOST_PORT = re.compile(r"([^:]+):([0-9]{1,5})")
_PORT_DIGITS = 5
_MAC = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?:@[0-9]+)?")


class RealAddress(msgspec.Struct, frozen=True):
    """Where a client comes from.

    `protocol` is the server's socket type (`udp4`, `tcp6-server`), said from 2.7 on, else empty.
    `port` is None where the daemon doesn't say it: native IPv6 up to 2.6.
    """

    protocol: str
    host: str
    port: int | None


def parse_real_address(text: str) -> RealAddress:
    """Take a Real Address apart; what fits no shape becomes the host as it is.

    `127.0.0.1:49630`, `::1`, `udp4:127.0.0.1:49630`, `tcp6-server:[::1]:60260`,
    `udp6:127.0.0.1:39244` (a dual-stack socket).
    """
    host, _, digits = text.rpartition(":")
    if ":" not in host and _is_port(digits):
        return RealAddress("", host, int(digits))  # nearly all of them
    protocol = ""
    if match := _PROTOCOL.fullmatch(text):
        protocol, text = match[1], match[2]
    match = _BRACKETED.fullmatch(text) or _HOST_PORT.fullmatch(text)
    if match is None:
        return RealAddress(protocol, text, None)
    return RealAddress(protocol, match[1], int(match[2]) if match[2] else None)


def _is_port(digits: str) -> bool:
    # `isdigit` alone takes "²" for one, too.
    return digits.isascii() and digits.isdigit() and len(digits) <= _PORT_DIGITS


def is_mac(text: str) -> bool:
    """Tell a TAP route: `9e:45:f9:23:0a:9c@0` (MAC@VLAN from 2.5), plain MAC before."""
    return _MAC.fullmatch(text) is not None


def is_host_route(text: str) -> bool:
    """Tell one client's own address from a subnet, a MAC, or a host cached from traffic.

    A cached host ends in an upper-case `C`; IPv6 text is lower case, so that is unambiguous.
    """
    return bool(text) and "/" not in text and not text.endswith("C") and not is_mac(text)
