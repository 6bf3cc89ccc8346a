"""A client instance of a server, connected or not: one row of its status."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address
from typing import ClassVar

from exporter.simulator.population.counter import ZERO, LinearCounter
from exporter.simulator.population.identity import ClientIdentity

FIRST_IPV4 = IPv4Address("10.8.0.2")
FIRST_IPV6 = IPv6Address("fd00:8::1000")


@dataclass(frozen=True, slots=True)
class StatusRow:
    """The constant parts of a client's rows: before and after the two counters."""

    head: str
    tail: str
    routes: tuple[str, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class Instance:
    """One attempt of a client to connect, from its first packet until its removal.

    OpenVPN calls it a client instance; failed attempts have one, too, and use up a client id.
    `common_name` is `UNDEF` until the certificate is verified, the addresses of the tunnel are
    empty until the client is connected. Times are seconds since the epoch.
    """

    UNDEF: ClassVar[str] = "UNDEF"
    FALLBACK_CIPHER: ClassVar[str] = "BF-CBC"

    identity: ClientIdentity
    port: int
    client_id: int
    peer_id: int
    since: int
    common_name: str = UNDEF
    username: str = UNDEF
    cipher: str = FALLBACK_CIPHER
    pool_index: int | None = None
    virtual_address: str = ""
    virtual_ipv6_address: str = ""
    received: LinearCounter = ZERO
    sent: LinearCounter = ZERO
    idle_since: int | None = None
    floated_from: str = ""
    reconnects: bool = False
    """Whether the client reconnects if the server ends the session."""

    replaces: bool = False
    established: bool = False
    removed: bool = False
    rows: dict[str, StatusRow] = field(default_factory=dict)
    """Rendered parts by separator; cleared when a value changes."""

    def rename(self, *, common_name: str | None = None, username: str | None = None) -> None:
        """Set the names of the client."""
        self.common_name = common_name or self.common_name
        self.username = username or self.username
        self.rows.clear()

    def assign_addresses(self, pool_index: int) -> None:
        """Set the addresses in the tunnel and the negotiated cipher."""
        self.pool_index = pool_index
        self.virtual_address = virtual_address(pool_index)
        self.virtual_ipv6_address = virtual_ipv6_address(pool_index)
        self.cipher = self.identity.cipher
        self.rows.clear()

    def float_to(self, port: int) -> None:
        """Continue from another port, as a client in another network does."""
        self.floated_from = self.log_address
        self.port = port
        self.rows.clear()

    @property
    def real_address(self) -> str:
        """The address of the peer as in the status of 2.6."""
        return self.identity.address(self.port)

    @property
    def peer(self) -> str:
        """The address of the peer as in the log."""
        if self.identity.ipv6_transport:
            return f"[AF_INET6]{self.identity.host}:{self.port}"
        return f"[AF_INET]{self.identity.host}:{self.port}"

    @property
    def log_name(self) -> str:
        """The prefix of log lines about a client whose certificate is verified."""
        return f"{self.common_name}/{self.log_address}"

    @property
    def log_address(self) -> str:
        """The prefix of log lines about a client before that."""
        return f"{self.identity.host}:{self.port}"

    @property
    def connected(self) -> bool:
        """Whether the client has an address in the tunnel."""
        return self.pool_index is not None


def virtual_address(index: int) -> str:
    """Return the IPv4 address at `index` of the pool."""
    return str(FIRST_IPV4 + index)


def virtual_ipv6_address(index: int) -> str:
    """Return the IPv6 address at `index` of the pool."""
    return str(FIRST_IPV6 + index)


class InstanceEvent(Enum):
    """An event of a client instance; `MAX_CLIENTS_REACHED` has none that is in the table."""

    MAX_CLIENTS_REACHED = auto()
    OPENED = auto()
    ESTABLISHED = auto()
    FLOATED = auto()
    EXIT_NOTIFIED = auto()
    DELAYED_EXIT = auto()
    PING_TIMED_OUT = auto()
    PASSWORD_REJECTED = auto()
    SCRIPT_REJECTED = auto()
    HANDSHAKE_TIMED_OUT = auto()
    CERTIFICATE_REJECTED = auto()


Observer = Callable[[InstanceEvent, Instance, float], None]
"""Called after an event, or just before the removal of an instance, with the time of the event."""
