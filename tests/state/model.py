"""A server as it really is: every client, every byte, and what its status and its log say of it.

What the exporter makes of the status and the log is held against it.
"""

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from exporter.management.log_lines import ConnectLine
from exporter.management.status import ClientRow, ServerStatus

NAMES = ("alice", "bob", "carol")
START = 1_795_400_000


class Act(enum.Enum):
    """What happens at a server."""

    ARRIVE = enum.auto()
    """A client begins a handshake."""
    ADMIT = enum.auto()
    """A client that waits is let in; the log says so."""
    TURN_AWAY = enum.auto()
    """A client that waits is rejected; its row stays for a while."""
    MOVE = enum.auto()
    """A client sends and receives, or comes back into its old row."""
    LEAVE = enum.auto()
    """A client's row goes."""
    RECONNECT = enum.auto()
    """A client comes back from its old port, and has a new row."""
    FLOAT = enum.auto()
    """A client goes on from another address."""
    RESTART = enum.auto()
    """The server begins again, its ids at 0."""


class Step(NamedTuple):
    """One act of one client, `who` counts round the clients that can do it."""

    act: Act
    who: int = 0
    amount: int = 0
    seconds: int = 1


@dataclass(eq=False)
class Visitor:
    """One row of the server, or what was one."""

    client_id: int
    name: str
    address: str
    since: int
    received: int = 0
    sent: int = 0
    admitted: bool = False
    rejected: bool = False
    polled: tuple[int, int] = (0, 0)


@dataclass
class Truth:
    """The server; `connects` and `disconnects` count from the moment that it is `watched`.

    `ids` are there from 2.4 on. Without `ports` the addresses are native IPv6 ones up to 2.6.
    Statuses in format 1 write their times `zone` seconds off.
    """

    ids: bool = True
    ports: bool = True
    zone: int = 0
    watched: bool = False
    now: int = START
    connects: int = 0
    disconnects: int = 0
    rows: list[Visitor] = field(default_factory=list)
    admitted: list[Visitor] = field(default_factory=list)
    _next_id: int = 0
    _next_port: int = 40_000

    def happen(self, step: Step) -> list[ConnectLine]:
        """Let something happen; return what the log says at verb 3 of clients let in."""
        self.now += step.seconds
        match step.act:
            case Act.ARRIVE:
                self._arrive(NAMES[step.who % len(NAMES)], self._address())
            case Act.RESTART:
                self._restart()
            case act:
                able = [row for row in self.rows if _can(row, act)]
                if able and (self.ids or act is not Act.FLOAT):
                    return self._act(act, able[step.who % len(able)], step.amount)
        return []

    def status(self, *, format_1: bool = False) -> ServerStatus:
        """Return what `status 3` says, or `status 1`, and note that it was seen."""
        connected = [row for row in self.rows if row.admitted]
        for row in connected:
            row.polled = (row.received, row.sent)
        return ServerStatus(
            updated=self.now,
            clients=tuple(self._client(row, format_1=format_1) for row in connected),
            pending=tuple(
                self._client(row, format_1=format_1) for row in self.rows if not row.admitted
            ),
            route_count=len(connected),
        )

    def moved(self) -> tuple[Counter[str], Counter[str]]:
        """Return all bytes received and sent by all that were ever let in, by name."""
        received, sent = Counter[str](), Counter[str]()
        for visitor in self.admitted:
            received[visitor.name] += visitor.received
            sent[visitor.name] += visitor.sent
        return received, sent

    def polled(self) -> tuple[Counter[str], Counter[str]]:
        """Return the bytes that some status has shown, by name."""
        received, sent = Counter[str](), Counter[str]()
        for visitor in self.admitted:
            received[visitor.name] += visitor.polled[0]
            sent[visitor.name] += visitor.polled[1]
        return received, sent

    def _act(self, act: Act, visitor: Visitor, amount: int) -> list[ConnectLine]:
        match act:
            case Act.ADMIT:
                return self._admit(visitor, ipv6=amount % 2 == 1)
            case Act.TURN_AWAY:
                visitor.rejected = True
            case Act.MOVE:
                visitor.received += amount
                visitor.sent += amount // 2
            case Act.FLOAT:
                visitor.address = self._address()
            case Act.RECONNECT:
                self._leave(visitor)
                again = self._arrive(visitor.name, visitor.address)
                return self._admit(again, ipv6=amount % 2 == 1)
            case _:
                self._leave(visitor)
        return []

    def _arrive(self, name: str, address: str) -> Visitor:
        visitor = Visitor(self._next_id, name, address, self.now, received=50, sent=60)
        self._next_id += 1
        self.rows.append(visitor)
        return visitor

    def _admit(self, visitor: Visitor, *, ipv6: bool) -> list[ConnectLine]:
        visitor.admitted = True
        self.admitted.append(visitor)
        self.connects += self.watched
        line = ConnectLine(visitor.name, visitor.address, ipv6=False)
        second = ConnectLine(visitor.name, visitor.address, ipv6=True)
        return [line, second] if ipv6 else [line]

    def _leave(self, visitor: Visitor) -> None:
        self.rows.remove(visitor)
        self.disconnects += self.watched and visitor.admitted

    def _restart(self) -> None:
        for visitor in list(self.rows):
            self._leave(visitor)
        self._next_id = 0

    def _address(self) -> str:
        self._next_port += 1
        return f"192.0.2.7:{self._next_port}" if self.ports else "2001:db8::7"

    def _client(self, visitor: Visitor, *, format_1: bool) -> ClientRow:
        return ClientRow(
            common_name=visitor.name,
            real_address=visitor.address,
            virtual_address="10.8.0.2" if visitor.admitted else "",
            virtual_ipv6_address="",
            received_bytes=visitor.received,
            sent_bytes=visitor.sent,
            connected_since=visitor.since + (self.zone if format_1 else 0),
            client_id=visitor.client_id if self.ids and not format_1 else None,
        )


def _can(visitor: Visitor, act: Act) -> bool:
    waits = not visitor.admitted and not visitor.rejected
    if act in {Act.ADMIT, Act.TURN_AWAY}:
        return waits
    return act is Act.LEAVE or visitor.admitted
