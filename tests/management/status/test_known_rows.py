"""Rows that a reader knows from the previous status are read as a new reader reads them.

The tables are long enough for rows that follow one another in both statuses; they come as they are
received, in blocks that end anywhere, with either line end.
"""

import itertools
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import run_batches
from exporter.management.errors import ReplyError
from exporter.management.reply_lines import ReplyLines
from exporter.management.status import ServerStatus, Status, StatusReader
from tests.management.status.changing_server import (
    ODD_COUNTERS,
    SIZES,
    Client,
    Server,
    received,
    servers,
)


@st.composite
def statuses(draw: st.DrawFn) -> list[ReplyLines]:
    """Draw successive statuses of a server, as they are received."""
    server, history = draw(servers()), list[ReplyLines]()
    for _ in range(draw(st.integers(2, 5))):
        lines = server.lines(header=draw(st.integers(0, 9)) > 0)
        history.append(received(lines, draw(st.sampled_from([b"\r\n", b"\n"])), draw(SIZES) + 1))
        server.change(draw)
    return history


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
        lines = Server(list(clients)).lines()
        check(reader, received(lines, b"\r\n", size), routes=False)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_route_that_comes_or_goes_decides_about_a_known_row(size: int) -> None:
    reader = StatusReader(routes=False)
    for has_route in (False, True, False):
        clients = [*KNOWN, Client(7, b"c7", b"", has_route=has_route)]
        status = read(reader, received(Server(clients).lines(), b"\n", size))
        assert isinstance(status, ServerStatus)
        assert len(status.clients) == 5 + has_route
        assert status.route_count == 5 + has_route


def test_all_routes_are_read_if_they_are_wanted() -> None:
    lines = received(Server(list(KNOWN)).lines(), b"\n", 1)
    status = read(StatusReader(routes=True), lines)
    assert isinstance(status, ServerStatus)
    assert [route.common_name for route in status.routes] == ["c0", "c1", "c2", "c3", "c4"]


def test_rows_in_the_same_order_keep_their_objects() -> None:
    server = Server([Client(number, b"c%d" % number, b"10.8.0.2") for number in range(2000)])
    reader = StatusReader()
    before = read(reader, received(server.lines(), b"\r\n", 700))
    del server.clients[100:150]
    server.clients[1000] = replace(server.clients[1000], name=b"renamed")
    after = read(reader, received(server.lines(), b"\r\n", 800))
    assert isinstance(before, ServerStatus)
    assert isinstance(after, ServerStatus)
    new = set(map(id, after.clients)) - set(map(id, before.clients))
    assert [row.common_name for row in after.clients if id(row) in new] == ["renamed"]
