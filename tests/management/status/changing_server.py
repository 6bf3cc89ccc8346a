"""A server whose rows change from one status to the next, some in ways in which no daemon does.

Its statuses come as they are received: in blocks that end anywhere, with either line end.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from exporter.management.reply_lines import LineBlock, ReplyLines
from tests.management.status.status_printer import ROUTE_COLUMNS, Layout

SINCE = 1795404614
SIZES = st.integers(0, 40)
ODD_COUNTERS = (
    b"", b"\t", b"1", b"1\t", b"\t1", b"1\t2\t3", b"00\t1", b"007\t8", b"+1\t2", b"-1\t2", b"1 \t2",
    b"1e3\t2", b"9" * 18 + b"\t1", b"9" * 19 + b"\t1", b"1\t" + b"9" * 20,
    b"18446744073709551615\t18446744073709551616",
)  # fmt: skip
COUNTERS = st.sampled_from(ODD_COUNTERS) | st.integers(0, 10**12).map(
    lambda number: b"%d\t%d" % (number, number)
)


@dataclass(frozen=True)
class Client:
    """A row of the table, and whether the client has routes."""

    number: int
    name: bytes
    address: bytes = b""
    counters: bytes = b"1\t2"
    cipher: bytes = b"AES-256-GCM"
    has_route: bool = True
    has_head: bool = True
    has_tail: bool = True

    def row(self) -> bytes:
        head = (b"CLIENT_LIST", self.name, b"192.0.2.1:%d" % self.number, self.address, b"")
        tail = (b"D", b"%d" % SINCE, b"UNDEF", b"%d" % self.number, b"0", self.cipher)
        return b"\t".join(
            (*(head if self.has_head else ()), self.counters, *(tail if self.has_tail else ()))
        )

    def short_row(self) -> bytes:
        counters = self.counters.replace(b"\t", b",")
        return b"%b,192.0.2.1:%d,%b,%b" % (self.name, self.number, counters, _date(SINCE))

    def short_route(self) -> bytes:
        return b"10.8.0.2,%b,192.0.2.1:%d,%b" % (self.name, self.number, _date(SINCE))

    def routes(self) -> list[bytes]:
        route = (b"ROUTING_TABLE", b"10.8.0.2", self.name, b"192.0.2.1:%d" % self.number, b"D")
        return [b"\t".join((*route, b"1795405983"))] * self.has_route


@dataclass
class Server:
    """A table whose rows change from one status to the next."""

    clients: list[Client] = field(default_factory=list)
    now: int = 1795405983

    def lines(self, *, header: bool = True) -> list[bytes]:
        """Return the status in format 3; without the header no row of a client can be read."""
        columns = b"\t".join([b"HEADER\tCLIENT_LIST", *(n.encode() for n in Layout.V2_5.value)])
        routes = "\t".join(["HEADER", "ROUTING_TABLE", *ROUTE_COLUMNS]).encode()
        return [
            b"TITLE\tOpenVPN 2.6.14",
            b"TIME\tD\t%d" % self.now,
            *([columns] * header),
            *(client.row() for client in self.clients),
            routes,
            *itertools.chain.from_iterable(client.routes() for client in self.clients),
            b"GLOBAL_STATS\tMax bcast/mcast queue length\t2",
        ]

    def report(self) -> list[bytes]:
        """Return the status in format 1."""
        return [
            b"OpenVPN CLIENT LIST",
            b"Updated," + _date(self.now),
            b"Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
            *(client.short_row() for client in self.clients),
            b"ROUTING TABLE",
            b"Virtual Address,Common Name,Real Address,Last Ref",
            *(client.short_route() for client in self.clients if client.has_route),
            b"GLOBAL STATS",
            b"Max bcast/mcast queue length,2",
        ]

    def change(self, draw: st.DrawFn) -> None:
        """Change some rows; afterwards it is later, and the counters of all have grown."""
        self.now += 15
        for _ in range(draw(st.integers(0, 4))):
            self._change_one(draw)
        self.clients = [
            replace(client, counters=_grown(client.counters)) for client in self.clients
        ]

    def _change_one(self, draw: st.DrawFn) -> None:
        clients, new = self.clients, Client(draw(st.integers(100, 999)), b"new", b"10.8.0.9")
        at = draw(st.integers(0, len(clients)))
        changes = "replace insert remove edit edit edit twice twice swap rotate clear reconnect"
        match draw(st.sampled_from(changes.split())):
            case "replace":
                clients[at : at + draw(st.integers(1, 5))] = [new]
            case "insert":
                clients[at:at] = [new]
            case "remove":
                del clients[at : at + draw(st.integers(1, 5))]
            case "edit" if at < len(clients):
                clients[at] = self._edited(clients[at], draw)
            case "twice":
                again = draw(st.integers(0, len(clients)))
                clients[again:again] = clients[at : at + 1]
            case "swap":
                self.clients = draw(st.permutations(clients))
            case "rotate":
                self.clients = [*clients[at:], *clients[:at]]
            case "reconnect" if at < len(clients):
                clients[at] = replace(clients[at], number=new.number, counters=new.counters)
            case "clear":
                self.clients = clients[:at]
            case _:
                pass

    def _edited(self, client: Client, draw: st.DrawFn) -> Client:
        match draw(st.sampled_from("name address counters counters cipher route part".split())):
            case "name":
                return replace(client, name=draw(st.sampled_from([b"UNDEF", b"", b"b\\x41", b"c"])))
            case "address":
                return replace(client, address=draw(st.sampled_from([b"", b"10.8.0.2"])))
            case "counters":
                return replace(client, counters=draw(COUNTERS))
            case "cipher":
                return replace(client, cipher=draw(st.sampled_from([b"", b"BF-CBC"])))
            case "route":
                return replace(client, has_route=not client.has_route)
            case _:
                return replace(client, has_head=draw(st.booleans()), has_tail=draw(st.booleans()))


def _date(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S").encode()


def _grown(counters: bytes) -> bytes:
    """Return counters of the same form that have grown, if they are small."""
    numbers = counters.split(b"\t")
    if not all(number.isdigit() and len(number) < 18 for number in numbers):
        return counters
    return b"\t".join(b"%d" % (int(number) + 7) for number in numbers)


@st.composite
def servers(draw: st.DrawFn) -> Server:
    """Draw a server with some clients, half of which have no address."""
    addresses = st.sampled_from([b"", b"10.8.0.2"])
    return Server([Client(n, b"c%d" % n, draw(addresses)) for n in range(draw(SIZES))])


def received(lines: Sequence[bytes], end: bytes, size: int) -> ReplyLines:
    """Return lines as they are received, in blocks of so many."""
    blocks = (lines[start : start + size] for start in range(0, len(lines), size))
    return ReplyLines(tuple(LineBlock(end.join((*block, b"")), len(block)) for block in blocks))
