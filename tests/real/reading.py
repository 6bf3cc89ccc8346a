"""A server's replies on its management interface, to compare with the exporter's page.

It shares no code with the exporter.
"""

import re
from dataclasses import dataclass

from tests.real import raw_session
from tests.real.management import Management

UNDEFINED = "UNDEF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One client in a status of format 3."""

    common_name: str
    virtual_address: str
    virtual_ipv6_address: str
    received: int
    sent: int
    since: int
    client_id: str
    cipher: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The replies of a server at one moment."""

    version: str
    status: str
    history: str
    load_stats: str

    @property
    def rows(self) -> list[Row]:
        """The clients."""
        return [_row(fields) for fields in self._fields("CLIENT_LIST")]

    @property
    def routes(self) -> int:
        """The number of routes."""
        return len(self._fields("ROUTING_TABLE"))

    @property
    def first_state_time(self) -> int:
        """The time of the daemon's first state."""
        return int(self.history.split(",")[0])

    @property
    def received(self) -> int:
        """Bytes on the link so far."""
        return _number("bytesin", self.load_stats)

    @property
    def sent(self) -> int:
        """Bytes on the link so far."""
        return _number("bytesout", self.load_stats)

    def of(self, common_name: str) -> list[Row]:
        """Return the clients of this name."""
        return [row for row in self.rows if row.common_name == common_name]

    def _fields(self, kind: str) -> list[list[str]]:
        lines = [line.split("\t") for line in self.status.split("\n")]
        return [fields[1:] for fields in lines if fields[0] == kind]


async def read(management: Management) -> Reading:
    """Read a server's replies; its management slot must be free."""
    version, status, history, load_stats = await raw_session.request(
        management.address,
        *("version", "status 3", "state all", "load-stats"),
        password=management.password,
    )
    return Reading(version=version, status=status, history=history, load_stats=load_stats)


def _row(fields: list[str]) -> Row:
    return Row(
        common_name=fields[0],
        virtual_address=fields[2],
        virtual_ipv6_address=fields[3],
        received=int(fields[4]),
        sent=int(fields[5]),
        since=int(fields[7]),
        client_id=fields[9],
        cipher=fields[11],
    )


def _number(name: str, text: str) -> int:
    found = re.search(rf"{name}=(\d+)", text)
    assert found, text
    return int(found[1])
