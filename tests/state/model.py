"""A model of a server: its clients, their traffic, and the status and the log that it prints.

Tests compare the exporter's counters with the model.
"""

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from exporter.management.log_lines import ConnectLine
from exporter.management.status import ClientRow, ServerStatus

NAMES = ("alice", "bob", "carol")
START = 1_795_400_000


class Action(enum.Enum):
    """An event at a server."""

    CONNECT = enum.auto()
    """A client starts a handshake."""
    AUTHENTICATE = enum.auto()
    """A pending client is authenticated, and the log has its connect lines."""
    REJECT = enum.auto()
    """A pending client is rejected; its row stays for a while."""
    TRANSFER = enum.auto()
    """A client sends and receives, or reconnects into its old row."""
    DISCONNECT = enum.auto()
    """A client's row is removed."""
    RECONNECT = enum.auto()
    """A client reconnects from its old port, with a new row."""
    FLOAT = enum.auto()
    """A client continues from another address."""
    RESTART = enum.auto()
    """The server restarts, with client ids from 0."""


class Step(NamedTuple):
    """One action of one client: number `client_index` of the possible ones, modulo their count."""

    action: Action
    client_index: int = 0
    amount: int = 0
    seconds: int = 1


@dataclass(eq=False)
class ModelClient:
    """A client with its current or former row."""

    client_id: int
    name: str
    address: str
    since: int
    received: int = 0
    sent: int = 0
    authenticated: bool = False
    rejected: bool = False
    polled_traffic: tuple[int, int] = (0, 0)


@dataclass
class ServerModel:
    """The server; `connects` and `disconnects` are counted once it is `monitored`.

    Rows have `ids` from OpenVPN 2.4 on. Without `ports` the addresses are IPv6 ones up to 2.6.
    In format 1 the starts are off by `zone` seconds, as after a change to or from summer time.
    """

    ids: bool = True
    ports: bool = True
    zone: int = 0
    monitored: bool = False
    now: int = START
    connects: int = 0
    disconnects: int = 0
    rows: list[ModelClient] = field(default_factory=list)
    ever_authenticated: list[ModelClient] = field(default_factory=list)
    _next_id: int = 0
    _next_port: int = 40_000

    def apply(self, step: Step) -> list[ConnectLine]:
        """Apply a step; return the connect lines of the log at verb 3."""
        self.now += step.seconds
        match step.action:
            case Action.CONNECT:
                self._connect(NAMES[step.client_index % len(NAMES)], self._address())
            case Action.RESTART:
                self._restart()
            case action:
                candidates = [row for row in self.rows if _is_possible(row, action)]
                if candidates and (self.ids or action is not Action.FLOAT):
                    return self._apply(
                        action, candidates[step.client_index % len(candidates)], step.amount
                    )
        return []

    def status(self, *, format_1: bool = False) -> ServerStatus:
        """Return the reply to `status 3` or `status 1`, and mark its traffic as polled."""
        connected = [row for row in self.rows if row.authenticated]
        for row in connected:
            row.polled_traffic = (row.received, row.sent)
        return ServerStatus(
            updated=self.now,
            clients=tuple(self._client(row, format_1=format_1) for row in connected),
            pending=tuple(
                self._client(row, format_1=format_1) for row in self.rows if not row.authenticated
            ),
            route_count=len(connected),
        )

    def total_traffic(self) -> tuple[Counter[str], Counter[str]]:
        """Return the bytes received and sent by all clients ever authenticated, by name."""
        received, sent = Counter[str](), Counter[str]()
        for client in self.ever_authenticated:
            received[client.name] += client.received
            sent[client.name] += client.sent
        return received, sent

    def polled_traffic(self) -> tuple[Counter[str], Counter[str]]:
        """Return the bytes that a status has shown, by name."""
        received, sent = Counter[str](), Counter[str]()
        for client in self.ever_authenticated:
            received[client.name] += client.polled_traffic[0]
            sent[client.name] += client.polled_traffic[1]
        return received, sent

    def _apply(self, action: Action, client: ModelClient, amount: int) -> list[ConnectLine]:
        match action:
            case Action.AUTHENTICATE:
                return self._authenticate(client, ipv6=amount % 2 == 1)
            case Action.REJECT:
                client.rejected = True
            case Action.TRANSFER:
                client.received += amount
                client.sent += amount // 2
            case Action.FLOAT:
                client.address = self._address()
            case Action.RECONNECT:
                self._disconnect(client)
                successor = self._connect(client.name, client.address)
                return self._authenticate(successor, ipv6=amount % 2 == 1)
            case _:
                self._disconnect(client)
        return []

    def _connect(self, name: str, address: str) -> ModelClient:
        client = ModelClient(self._next_id, name, address, self.now, received=50, sent=60)
        self._next_id += 1
        self.rows.append(client)
        return client

    def _authenticate(self, client: ModelClient, *, ipv6: bool) -> list[ConnectLine]:
        client.authenticated = True
        self.ever_authenticated.append(client)
        self.connects += self.monitored
        line = ConnectLine(client.name, client.address, ipv6=False)
        second = ConnectLine(client.name, client.address, ipv6=True)
        return [line, second] if ipv6 else [line]

    def _disconnect(self, client: ModelClient) -> None:
        self.rows.remove(client)
        self.disconnects += self.monitored and client.authenticated

    def _restart(self) -> None:
        for client in list(self.rows):
            self._disconnect(client)
        self._next_id = 0

    def _address(self) -> str:
        self._next_port += 1
        return f"192.0.2.7:{self._next_port}" if self.ports else "2001:db8::7"

    def _client(self, client: ModelClient, *, format_1: bool) -> ClientRow:
        return ClientRow(
            common_name=client.name,
            real_address=client.address,
            virtual_address="10.8.0.2" if client.authenticated else "",
            virtual_ipv6_address="",
            received_bytes=client.received,
            sent_bytes=client.sent,
            connected_since=client.since + (self.zone if format_1 else 0),
            client_id=client.client_id if self.ids and not format_1 else None,
        )


class ModelReader:
    """Keeps the objects of rows of which only the counters have changed, as `StatusReader` does."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], ClientRow] = {}

    def read(self, status: ServerStatus) -> ServerStatus:
        """Return a status with the objects of the last one."""
        known, self._known = self._known, {}

        def kept(row: ClientRow) -> ClientRow:
            facts = msgspec.structs.astuple(
                msgspec.structs.replace(row, received_bytes=0, sent_bytes=0)
            )
            last = self._known[facts] = known.pop(facts, row)
            last.received_bytes, last.sent_bytes = row.received_bytes, row.sent_bytes
            return last

        return msgspec.structs.replace(
            status,
            clients=tuple(map(kept, status.clients)),
            pending=tuple(map(kept, status.pending)),
        )


def _is_possible(client: ModelClient, action: Action) -> bool:
    pending = not client.authenticated and not client.rejected
    if action in {Action.AUTHENTICATE, Action.REJECT}:
        return pending
    return action is Action.DISCONNECT or client.authenticated
