"""The address of a port that clients of a VPN connect to, as text and as a type."""

import enum
import re

import msgspec

from exporter.management.endpoint import join_host_port, split_host_port

_HINT = "write vpn.example.org:1194/udp, 192.0.2.1:443/tcp or [2001:db8::1]:1194/udp"
_PROTOCOL = re.compile(r"(?P<protocol>udp|tcp)(?P<ip_version>[46])?")


class ProbeProtocol(enum.StrEnum):
    """The transport protocol of a port."""

    UDP = "udp"
    TCP = "tcp"


class ProbeTarget(msgspec.Struct, frozen=True):
    """A port; `host` is a name or an address, without brackets.

    `ip_version` is 4 or 6 where only addresses of this version are meant, None for both.
    """

    host: str
    port: int
    protocol: ProbeProtocol
    ip_version: int | None = None

    @property
    def address(self) -> str:
        """Host and port as text."""
        return join_host_port(self.host, self.port)

    def __str__(self) -> str:
        """Return the canonical text, which `parse_target` accepts."""
        return f"{self.address}/{self.protocol.value}{self.ip_version or ''}"


def parse_target(text: str) -> ProbeTarget:
    """Parse `HOST:PORT/PROTOCOL`, with OpenVPN's words `udp`, `udp4`, `udp6`, `tcp`, ….

    Raises:
        ValueError: not a target; the message says what is wrong and what to write.
    """
    address, _, proto = text.rpartition("/")
    match = _PROTOCOL.fullmatch(proto)
    if match is None:
        raise ValueError(f"{text!r} has no protocol: {_HINT}")
    host, port = split_host_port(address, _HINT)
    ip_version = int(match["ip_version"]) if match["ip_version"] else None
    return ProbeTarget(host, port, ProbeProtocol(match["protocol"]), ip_version)
