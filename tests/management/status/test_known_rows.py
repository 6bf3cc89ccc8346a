"""Rows that a reader knows from the previous status are read as a new reader reads them.

The tables are long enough for rows that follow one another in both statuses; they come as they are
received, in blocks that end anywhere, with either line end.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import run_batches
from exporter.management.errors import ReplyError
from exporter.management.reply_lines import LineBlock, ReplyLines
from exporter.management.status import ServerStatus, Status, StatusReader
from tests.management.status.status_printer import ROUTE_COLUMNS, Layout

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
        tail = (b"D", b"1795404614", b"UNDEF", b"%d" % self.number, b"0", self.cipher)
        return b"\t".join(
            (*(head if self.has_head else ()), self.counters, *(tail if self.has_tail else ()))
        )

    def routes(self) -> list[bytes]:
        route = (b"ROUTING_TABLE", b"10.8.0.2", self.name, b"192.0.2.1:%d" % self.number, b"D")
        return [b"\t".join((*route, b"1795405983"))] * self.has_route


@dataclass
class Server:
    """A table whose rows change from one status to the next."""

    clients: list[Client] = field(default_factory=list)
    prologue: Sequence[bytes] = (b"TITLE\tOpenVPN 2.6.14", b"TIME\tD\t1795405983")

    def lines(self, *, header: bool) -> list[bytes]:
        columns = b"\t".join([b"HEADER\tCLIENT_LIST", *(n.encode() for n in Layout.V2_5.value)])
        routes = "\t".join(["HEADER", "ROUTING_TABLE", *ROUTE_COLUMNS]).encode()
        return [
            *self.prologue,
            *([columns] * header),
            *(client.row() for client in self.clients),
            routes,
            *itertools.chain.from_iterable(client.routes() for client in self.clients),
            b"GLOBAL_STATS\tMax bcast/mcast queue length\t2",
        ]

    def change(self, draw: st.DrawFn) -> None:
        """Change some rows; afterwards the counters of all have grown."""
        for _ in range(draw(st.integers(0, 4))):
            self._change_one(draw)
        self.clients = [
            replace(client, counters=_grown(client.counters)) for client in self.clients
        ]

    def _change_one(self, draw: st.DrawFn) -> None:
        clients, new = self.clients, Client(draw(st.integers(100, 999)), b"new", b"10.8.0.9")
        at = draw(st.integers(0, len(clients)))
        changes = "replace insert remove edit edit edit twice twice swap rotate clear"
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


def _grown(counters: bytes) -> bytes:
    """Return counters of the same form that have grown, if they are small."""
    numbers = counters.split(b"\t")
    if not all(number.isdigit() and len(number) < 18 for number in numbers):
        return counters
    return b"\t".join(b"%d" % (int(number) + 7) for number in numbers)


@st.composite
def statuses(draw: st.DrawFn) -> list[ReplyLines]:
    """Draw successive statuses of a server, as they are received."""
    addresses = st.sampled_from([b"", b"10.8.0.2"])
    server = Server([Client(n, b"c%d" % n, draw(addresses)) for n in range(draw(SIZES))])
    history: list[ReplyLines] = []
    for _ in range(draw(st.integers(2, 5))):
        lines = server.lines(header=draw(st.integers(0, 9)) > 0)
        history.append(_received(lines, draw(st.sampled_from([b"\r\n", b"\n"])), draw(SIZES) + 1))
        server.change(draw)
    return history


def _received(lines: Sequence[bytes], end: bytes, size: int) -> ReplyLines:
    blocks = (lines[start : start + size] for start in range(0, len(lines), size))
    return ReplyLines(tuple(LineBlock(end.join((*block, b"")), len(block)) for block in blocks))


def read(reader: StatusReader, lines: ReplyLines) -> Status | str:
    try:
        return run_batches(reader.read_in_batches(lines, None))
    except ReplyError as error:
        return str(error)


def check(reader: StatusReader, lines: ReplyLines, *, routes: bool) -> None:
    status, expected = read(reader, lines), read(StatusReader(routes=True), lines)
    assert isinstance(status, ServerStatus)
    assert isinstance(expected, ServerStatus)
    assert status == (expected if routes else msgspec.structs.replace(expected, routes=()))
    rows = (*status.clients, *status.pending)
    assert len(set(map(id, rows))) == len(rows)  # each has counters of its own


@given(history=statuses(), routes=st.booleans())
def test_known_rows_are_read_like_new_ones(*, history: list[ReplyLines], routes: bool) -> None:
    reader = StatusReader(routes=routes)
    for lines in history:
        check(reader, lines, routes=routes)


KNOWN = tuple(Client(number, b"c%d" % number, b"10.8.0.2") for number in range(5))


@pytest.mark.parametrize("counters", [*ODD_COUNTERS, b"3\t4"])
@pytest.mark.parametrize("parts", [*itertools.product([False, True], repeat=2)])
@pytest.mark.parametrize("size", [3, 100])
def test_a_known_row_with_other_counters_or_without_a_part_is_read_anew(
    counters: bytes, parts: tuple[bool, bool], size: int
) -> None:
    reader = StatusReader(routes=False)
    changed = replace(KNOWN[2], counters=counters, has_head=parts[0], has_tail=parts[1])
    # A second row that makes up for tabs that the first one has too many or too few.
    other = replace(KNOWN[3], counters=b"5" if counters.count(b"\t") > 1 else b"5\t6\t7")
    for clients in (KNOWN, (*KNOWN[:2], changed, *KNOWN[3:]), (*KNOWN[:2], changed, other), KNOWN):
        lines = Server(list(clients)).lines(header=True)
        check(reader, _received(lines, b"\r\n", size), routes=False)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_route_that_comes_or_goes_decides_about_a_known_row(size: int) -> None:
    reader = StatusReader(routes=False)
    for has_route in (False, True, False):
        clients = [*KNOWN, Client(7, b"c7", b"", has_route=has_route)]
        status = read(reader, _received(Server(clients).lines(header=True), b"\n", size))
        assert isinstance(status, ServerStatus)
        assert len(status.clients) == 5 + has_route
        assert status.route_count == 5 + has_route


def test_all_routes_are_read_if_they_are_wanted() -> None:
    lines = _received(Server(list(KNOWN)).lines(header=True), b"\n", 1)
    status = read(StatusReader(routes=True), lines)
    assert isinstance(status, ServerStatus)
    assert [route.common_name for route in status.routes] == ["c0", "c1", "c2", "c3", "c4"]


def test_rows_in_the_same_order_keep_their_objects() -> None:
    server = Server([Client(number, b"c%d" % number, b"10.8.0.2") for number in range(2000)])
    reader = StatusReader()
    before = read(reader, _received(server.lines(header=True), b"\r\n", 700))
    del server.clients[100:150]
    server.clients[1000] = replace(server.clients[1000], name=b"renamed")
    after = read(reader, _received(server.lines(header=True), b"\r\n", 800))
    assert isinstance(before, ServerStatus)
    assert isinstance(after, ServerStatus)
    new = set(map(id, after.clients)) - set(map(id, before.clients))
    assert [row.common_name for row in after.clients if id(row) in new] == ["renamed"]
