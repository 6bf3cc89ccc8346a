"""What all daemons of a test run share: a directory, two authorities, numbers never used twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from itertools import count
from pathlib import Path

from tests.real.management import Management, TcpAddress, UnixAddress
from tests.real.pki import Authority

# Below the ports that the kernel hands out by itself.
FIRST_PORT = 20_000
FIRST_NETWORK = int(IPv4Network("10.8.0.0/24").network_address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """The workshop in which daemons are set up. Every answer is fresh: no two daemons clash."""

    directory: Path
    authority: Authority
    other_authority: Authority
    _numbers: Iterator[int] = field(default_factory=count)

    @classmethod
    def create(cls, directory: Path) -> "Lab":
        """Set one up in an existing, empty directory."""
        return cls(
            directory=directory,
            authority=Authority(directory / "authority"),
            other_authority=Authority(directory / "stranger"),
        )

    def number(self) -> int:
        """Count up."""
        return next(self._numbers)

    def port(self) -> int:
        """Choose a port for a daemon to listen on."""
        return FIRST_PORT + self.number()

    def networks(self) -> tuple[IPv4Network, IPv6Network]:
        """Choose the two networks inside a tunnel."""
        number = self.number()
        return (
            IPv4Network((FIRST_NETWORK + number * 256, 24)),
            IPv6Network(f"fd00:8:0:{number:x}::/64"),
        )

    def file(self, content: str, *, mode: int = 0o600) -> Path:
        """Write a file that OpenVPN shall read or, given such a mode, run."""
        path = self.directory / f"file-{self.number()}"
        path.touch(mode=mode)
        path.write_text(content)
        return path

    def script(self, body: str) -> Path:
        """Write a shell script."""
        return self.file(f"#!/bin/sh\n{body}\n", mode=0o700)

    def tcp(self, *, password: str | None = None) -> Management:
        """Plan a management interface on a port."""
        return self._management(TcpAddress(self.port()), password)

    def unix(self, *, password: str | None = None) -> Management:
        """Plan a management interface on a Unix socket."""
        return self._management(UnixAddress(self.directory / f"{self.number()}.sock"), password)

    def management_client(self) -> Management:
        """Plan a daemon that calls its management client, who must be listening by then."""
        return Management(address=TcpAddress(self.port()), management_client=True)

    def _management(self, address: TcpAddress | UnixAddress, password: str | None) -> Management:
        file = None if password is None else self.file(f"{password}\n")
        return Management(address=address, password=password, password_file=file)
