"""What all daemons of a test run share: a directory, two CAs, and unique numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from itertools import count
from pathlib import Path

from tests.real.management import Management, TcpAddress, UnixAddress
from tests.real.pki import Authority

# Below the kernel's ephemeral ports.
FIRST_PORT = 20_000
FIRST_NETWORK = int(IPv4Network("10.8.0.0/24").network_address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """Allocates ports, networks and files for daemons; nothing is allocated twice."""

    directory: Path
    authority: Authority
    other_authority: Authority
    _numbers: Iterator[int] = field(default_factory=count)

    @classmethod
    def create(cls, directory: Path) -> "Lab":
        """Create a lab in an existing, empty directory."""
        return cls(
            directory=directory,
            authority=Authority(directory / "authority"),
            other_authority=Authority(directory / "other-authority"),
        )

    def next_number(self) -> int:
        """Return the next number."""
        return next(self._numbers)

    def port(self) -> int:
        """Allocate a port for a daemon to listen on."""
        return FIRST_PORT + self.next_number()

    def networks(self) -> tuple[IPv4Network, IPv6Network]:
        """Allocate the IPv4 and the IPv6 network of a tunnel."""
        number = self.next_number()
        return (
            IPv4Network((FIRST_NETWORK + number * 256, 24)),
            IPv6Network(f"fd00:8:0:{number:x}::/64"),
        )

    def file(self, content: str, *, mode: int = 0o600) -> Path:
        """Write a file for OpenVPN to read or, with an executable mode, to run."""
        path = self.directory / f"file-{self.next_number()}"
        path.touch(mode=mode)
        path.write_text(content)
        return path

    def script(self, body: str) -> Path:
        """Write a shell script."""
        return self.file(f"#!/bin/sh\n{body}\n", mode=0o700)

    def tcp(self, *, password: str | None = None) -> Management:
        """Allocate a management interface on a port."""
        return self._management(TcpAddress(self.port()), password)

    def unix(self, *, password: str | None = None) -> Management:
        """Allocate a management interface on a Unix socket."""
        return self._management(
            UnixAddress(self.directory / f"{self.next_number()}.sock"), password
        )

    def management_client(self) -> Management:
        """Allocate the address to which a daemon with ``--management-client`` connects."""
        return Management(address=TcpAddress(self.port()), management_client=True)

    def unix_management_client(self, *, password: str) -> Management:
        """Allocate the Unix socket to which such a daemon connects."""
        return replace(self.unix(password=password), management_client=True)

    def _management(self, address: TcpAddress | UnixAddress, password: str | None) -> Management:
        file = None if password is None else self.file(f"{password}\n")
        return Management(address=address, password=password, password_file=file)
