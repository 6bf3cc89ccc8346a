"""Which process of this host holds the management slot of a daemon, as the kernel shows it.

A daemon serves one management client and lets others wait, silent. The client that it has accepted
is the one whose socket is the peer of an accepted socket: `ss -xp` and `ss -tnp` show the same. The
processes of other hosts, containers and users may be invisible. Everything here may block.
"""

import ipaddress
import os
import re
import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from exporter.management.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from exporter.management.values import clean_bytes

_PROC = Path("/proc")

_ESTABLISHED = 1
_TCP_TABLES = ("tcp", "tcp6")
_LOCALHOST = ("127.0.0.1", "::1")

# linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h
_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_SHOW_NAME_AND_PEER = 0x5
_NAME, _PEER = 0, 2
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBHIIIII")
_SOCKET = struct.Struct("=BBBBIII")
_INODE = struct.Struct("=I")
_ATTRIBUTE = struct.Struct("=HH")
_RECEIVE_SIZE = 1 << 16
_ANY = 0xFFFFFFFF


class SlotHolder(msgspec.Struct, frozen=True):
    """A process that a daemon has accepted as its management client."""

    pid: int
    command: tuple[str, ...]

    @property
    def is_exporter(self) -> bool:
        """Whether its command line is that of this program."""
        names = {Path(word).name for word in self.command[:2]}
        return "openvpn-exporter" in names or self.command[1:3] == ("-m", "exporter")

    @property
    def name(self) -> str:
        """The name of its program."""
        return "openvpn-exporter" if self.is_exporter else Path(self.command[0]).name


def find_slot_holder(endpoint: Endpoint | None) -> SlotHolder | None:
    """Return the process that holds the slot; None if there is none, or it is not visible."""
    try:
        match endpoint:
            case UnixEndpoint(path=path):
                inode = _unix_client(os.fsencode(path))
            case TcpEndpoint(host=host, port=port):
                inode = _tcp_client(host, port)
            case _:
                return None
        return None if inode is None else _owner(inode)
    except (OSError, ValueError, struct.error):
        return None


def _unix_client(path: bytes) -> int | None:
    """Return the inode of the socket that is connected to an accepted one of this path."""
    for attributes in _unix_sockets():
        peer = attributes.get(_PEER, bytes(4))
        if attributes.get(_NAME, b"").rstrip(b"\0") == path and any(peer):
            (inode,) = _INODE.unpack(peer)
            return int(inode)
    return None


def _unix_sockets() -> Iterator[Mapping[int, bytes]]:
    """Yield the attributes of the connected Unix sockets."""
    request = _REQUEST.pack(
        socket.AF_UNIX, 0, 0, 1 << _ESTABLISHED, 0, _SHOW_NAME_AND_PEER, _ANY, _ANY
    )
    header = _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as netlink:
        netlink.settimeout(1)
        netlink.send(header + request)
        while data := netlink.recv(_RECEIVE_SIZE):
            while len(data) >= _HEADER.size:
                length, kind, *_ = _HEADER.unpack_from(data)
                if kind in {_ERROR, _DONE} or length < _HEADER.size:
                    return
                yield _attributes(data[_HEADER.size + _SOCKET.size : length])
                data = data[_aligned(length) :]


def _attributes(data: bytes) -> Mapping[int, bytes]:
    attributes: dict[int, bytes] = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        attributes[kind] = data[_ATTRIBUTE.size : length]
        data = data[_aligned(length) :]
    return attributes


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _tcp_client(host: str, port: int) -> int | None:
    """Return the inode of the socket at the other end of an accepted connection."""
    hosts = {ipaddress.ip_address(each) for each in (_LOCALHOST if host == "localhost" else [host])}
    connections = {(local, remote): inode for local, remote, inode in _tcp_connections()}
    for (local, remote), inode in connections.items():
        is_accepted = inode != 0  # those that wait for the slot have none
        if is_accepted and local[1] == port and local[0] in hosts:
            return connections.get((remote, local)) or None
    return None


_TcpAddress = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]


def _tcp_connections() -> Iterator[tuple[_TcpAddress, _TcpAddress, int]]:
    """Yield local address, remote address and inode of the established connections."""
    for table in _TCP_TABLES:
        file = _PROC / "net" / table
        if not file.exists():
            continue
        for line in file.read_text(encoding="ascii").splitlines()[1:]:
            _, local, remote, state, *rest = line.split()
            if int(state, 16) == _ESTABLISHED:
                yield _tcp_address(local), _tcp_address(remote), int(rest[5])


def _tcp_address(text: str) -> _TcpAddress:
    """Parse `0100007F:1D4F`: words of the address in the byte order of the host."""
    digits, _, port = text.partition(":")
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    address = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    return getattr(address, "ipv4_mapped", None) or address, int(port, 16)


def _owner(inode: int) -> SlotHolder | None:
    """Return another process that has the socket open."""
    link = f"socket:[{inode}]"
    for process in _PROC.iterdir():
        if re.fullmatch("[0-9]+", process.name) and int(process.name) != os.getpid():
            try:
                if any(str(fd.readlink()) == link for fd in (process / "fd").iterdir()):
                    words = (process / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                    return SlotHolder(int(process.name), tuple(map(clean_bytes, words)))
            except OSError:  # it has ended, or it is another user's
                continue
    return None
