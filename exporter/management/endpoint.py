"""The address of a daemon's management interface, as text and as a type.

OpenVPN listens at `--management HOST PORT` or `--management PATH unix`; with `--management-client`
it connects to that address instead, where we listen. Nothing is connected or resolved here.
"""

import ipaddress
import re

import msgspec

from exporter.secret import without_credentials

MAX_PORT = 65535

MAX_SOCKET_PATH = 107
"""Longest path of a Unix socket on Linux, in bytes: `sun_path` without the final NUL."""

_HINT = (
    "write 127.0.0.1:7505, [::1]:7505, unix:/run/openvpn/office.sock, "
    "listen:unix:/run/openvpn-exporter/office.sock or listen:127.0.0.1:7600"
)
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*):(?P<port>[0-9]{1,5})")
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its loopback interface; no name is resolved."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class TcpEndpoint(msgspec.Struct, frozen=True):
    """The daemon listens on TCP; `host` is a name or an address, without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return the canonical text, which `parse_endpoint` accepts."""
        return join_host_port(self.host, self.port)


class UnixEndpoint(msgspec.Struct, frozen=True):
    """The daemon listens on the Unix socket at the absolute `path`."""

    path: str

    def __str__(self) -> str:
        """Return the canonical text, which `parse_endpoint` accepts."""
        return f"unix:{self.path}"


class ListenEndpoint(msgspec.Struct, frozen=True):
    """We listen on `host` and `port`, and the daemon connects (`--management-client`)."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return the canonical text, which `parse_endpoint` accepts."""
        return f"listen:{join_host_port(self.host, self.port)}"


class ListenUnixEndpoint(msgspec.Struct, frozen=True):
    """We listen on the Unix socket at `path`, and the daemon connects (`--management-client`)."""

    path: str

    def __str__(self) -> str:
        """Return the canonical text, which `parse_endpoint` accepts."""
        return f"listen:unix:{self.path}"


Endpoint = TcpEndpoint | UnixEndpoint | ListenEndpoint | ListenUnixEndpoint


def parse_endpoint(text: str) -> Endpoint:
    """Parse the address of a management interface.

    Raises:
        ValueError: not an address; the message says what is wrong and what to write.
    """
    if text.startswith("/"):
        raise ValueError(f"{text!r} is a path: put unix: before it")
    if text.startswith("unix:"):
        return UnixEndpoint(_socket_path(text.removeprefix("unix:")))
    if text.startswith("listen:unix:"):
        return ListenUnixEndpoint(_socket_path(text.removeprefix("listen:unix:")))
    if text.startswith("listen:"):
        return ListenEndpoint(*split_host_port(text.removeprefix("listen:")))
    return TcpEndpoint(*split_host_port(text))


def _socket_path(path: str) -> str:
    if not path.startswith("/") or not path.isprintable():
        raise ValueError(f"{path!r} is not an absolute path: write unix:/run/openvpn/office.sock")
    size = len(path.encode())
    if size > MAX_SOCKET_PATH:
        raise ValueError(
            f"the socket path has {size} bytes and the system takes {MAX_SOCKET_PATH}: "
            "use a shorter one"
        )
    return path


def split_host_port(text: str, hint: str = _HINT) -> tuple[str, int]:
    """Split `HOST:PORT` or `[IPV6]:PORT`; the host is returned without brackets.

    Raises:
        ValueError: not such a text; the message says what is wrong, and `hint` what to write.
    """
    parts = _HOST_AND_PORT.fullmatch(text)
    if parts is None or not text.isprintable():
        raise ValueError(f"{without_credentials(text)!r} is not an address: {hint}")
    port = int(parts["port"])
    if not 1 <= port <= MAX_PORT:
        raise ValueError(f"port {port} does not exist: use one from 1 to {MAX_PORT}")
    return _host(parts["host"], hint), port


def _host(text: str, hint: str) -> str:
    if text.startswith("["):
        return _ipv6(text[1:-1], hint)
    if re.fullmatch(r"[0-9.]+", text):
        return _ipv4(text, hint)
    if not _HOST_NAME.fullmatch(text):
        raise ValueError(f"{without_credentials(text)!r} is not a host: {hint}")
    return text.lower()


def _ipv4(text: str, hint: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 address: {hint}") from None


def _ipv6(text: str, hint: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv6 address: {hint}") from None


def join_host_port(host: str, port: int) -> str:
    """Return the text that `split_host_port` splits."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
