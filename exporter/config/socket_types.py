"""The types of values that say where a socket listens, and what its permissions are."""

import ipaddress
import re

import msgspec

from exporter.config.types import Scalar
from exporter.management.endpoint import TcpEndpoint, UnixEndpoint, parse_endpoint


class ShareAddress(msgspec.Struct, frozen=True):
    """An address to listen at: an IP address and a port, or a Unix socket."""

    hint: str = "listen address"

    def read(self, scalar: Scalar) -> TcpEndpoint | UnixEndpoint:
        """Return the value; raises ValueError."""
        endpoint = parse_endpoint(scalar.text)
        match endpoint:
            case UnixEndpoint():
                return endpoint
            case TcpEndpoint(host=host) if _is_ip_address(host):
                return endpoint
            case _:
                text = f"{scalar.text!r} is no {self.hint}: write 127.0.0.1:7506 or unix:/PATH"
                raise ValueError(text)


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class FileMode(msgspec.Struct, frozen=True):
    """Permissions of a file in octal, such as "0660"."""

    hint: str = "octal number"

    def read(self, scalar: Scalar) -> "FilePermissions":
        """Return the value; raises ValueError."""
        if not re.fullmatch("0?[0-7]{3}", scalar.text):
            text = f'{scalar.text!r} is no mode of a file: write an {self.hint} such as "0660"'
            raise ValueError(text)
        return FilePermissions(int(scalar.text, 8))


class FilePermissions(msgspec.Struct, frozen=True):
    """Permissions of a file; its text is octal."""

    bits: int

    def __str__(self) -> str:
        """Return the text, as written in the configuration."""
        return f"{self.bits:04o}"
