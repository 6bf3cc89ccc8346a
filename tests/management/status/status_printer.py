"""Prints a status as daemons of several versions do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from exporter.management.status import ClientRow, RouteRow, ServerStatus

ROUTE_COLUMNS = (
    "Virtual Address", "Common Name", "Real Address", "Last Ref", "Last Ref (time_t)"
)  # fmt: skip


class Layout(Enum):
    """The columns of CLIENT_LIST in formats 2 and 3, by the first version that has them."""

    V2_1 = (
        "Common Name", "Real Address", "Virtual Address", "Bytes Received", "Bytes Sent",
        "Connected Since", "Connected Since (time_t)",
    )  # fmt: skip
    V2_3 = (*V2_1, "Username")
    V2_4 = (
        "Common Name", "Real Address", "Virtual Address", "Virtual IPv6 Address",
        "Bytes Received", "Bytes Sent", "Connected Since", "Connected Since (time_t)",
        "Username", "Client ID", "Peer ID",
    )  # fmt: skip
    V2_5 = (*V2_4, "Data Channel Cipher")


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints with the columns and the spelling of dates of one daemon.

    `zone_offset` returns by how many seconds its zone is ahead of UTC at a time.
    """

    layout: Layout = Layout.V2_5
    date: Callable[[datetime], str] = datetime.ctime
    zone_offset: Callable[[int], int] = lambda _: 0

    def table(self, status: ServerStatus, separator: str) -> list[bytes]:
        """Print format 2 (`,`) or 3 (a tab)."""
        rows = [
            ("TITLE", status.title),
            ("TIME", self._text(status.updated), str(status.updated)),
            ("HEADER", "CLIENT_LIST", *self.layout.value),
            *(("CLIENT_LIST", *self._client(row)) for row in _rows(status)),
            ("HEADER", "ROUTING_TABLE", *ROUTE_COLUMNS),
            *(("ROUTING_TABLE", *self._route(row), str(row.last_reference))
              for row in status.routes),
            *_global(status),
        ]  # fmt: skip
        return [separator.join(row).encode() for row in rows]

    def report(self, status: ServerStatus) -> list[bytes]:
        """Print format 1."""
        rows = [
            "OpenVPN CLIENT LIST",
            f"Updated,{self._text(status.updated)}",
            "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
            *(self._short(row) for row in _rows(status)),
            "ROUTING TABLE",
            "Virtual Address,Common Name,Real Address,Last Ref",
            *(",".join(self._route(row)) for row in status.routes),
            "GLOBAL STATS",
            f"Max bcast/mcast queue length,{status.max_queue_length}",
        ]
        return [row.encode() for row in rows]

    def _client(self, row: ClientRow) -> list[str]:
        fields = {
            "Common Name": row.common_name or "UNDEF",
            "Real Address": row.real_address,
            "Virtual Address": row.virtual_address,
            "Virtual IPv6 Address": row.virtual_ipv6_address,
            "Bytes Received": str(row.received_bytes),
            "Bytes Sent": str(row.sent_bytes),
            "Connected Since": self._text(row.connected_since),
            "Connected Since (time_t)": str(row.connected_since),
            "Username": row.username or "UNDEF",
            "Client ID": str(row.client_id),
            "Peer ID": "7",  # is not read
            "Data Channel Cipher": row.cipher,
        }
        return [fields[name] for name in self.layout.value]

    def _short(self, row: ClientRow) -> str:
        name, since = row.common_name or "UNDEF", self._text(row.connected_since)
        return f"{name},{row.real_address},{row.received_bytes},{row.sent_bytes},{since}"

    def _route(self, row: RouteRow) -> Sequence[str]:
        name, last = row.common_name or "UNDEF", self._text(row.last_reference)
        return row.virtual_address, name, row.real_address, last

    def _text(self, seconds: int) -> str:
        local = seconds + self.zone_offset(seconds)
        return self.date(datetime.fromtimestamp(local, UTC).replace(tzinfo=None))


def _rows(status: ServerStatus) -> tuple[ClientRow, ...]:
    return status.clients + status.pending


def _global(status: ServerStatus) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("GLOBAL_STATS", "Max bcast/mcast queue length", str(status.max_queue_length))
    ]
    if status.dco_enabled is not None:
        rows.append(("GLOBAL_STATS", "dco_enabled", str(int(status.dco_enabled))))
    return rows


def iso(moment: datetime) -> str:
    """Spell a date as 2.5 and later do; `datetime.ctime` is the earlier spelling."""
    return moment.isoformat(" ")
