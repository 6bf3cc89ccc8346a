"""The address of a daemon's management interface, for OpenVPN and for its clients."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A port on the loopback device."""

    port: int

    def __str__(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def arguments(self) -> list[str]:
        """Return the two arguments of ``--management``."""
        return [LOOPBACK, str(self.port)]


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A Unix socket."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"

    def arguments(self) -> list[str]:
        """Return the two arguments of ``--management``."""
        return [str(self.path), "unix"]


Address: TypeAlias = TcpAddress | UnixAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """One management interface: its address, its password if any, and its direction."""

    address: Address
    password: str | None = None
    password_file: Path | None = None
    management_client: bool = False

    def options(self) -> list[str]:
        """Return the OpenVPN options."""
        password = [str(self.password_file)] if self.password_file else []
        direction = ["--management-client"] if self.management_client else []
        return ["--management", *self.address.arguments(), *password, *direction]
