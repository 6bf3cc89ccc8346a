"""A status that a hostile daemon sends: its cost is linear, and no batch of it is large."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import MAX_BYTES, MAX_ROWS
from exporter.management.errors import ReplyError
from exporter.management.protocol import LINE_LIMIT
from exporter.management.status import (
    ServerStatus,
    Status,
    StatusReader,
    model,
    parse_status,
    row_cache,
    statistics,
)
from exporter.management.status.columns import CLIENT_COLUMNS, MAX_COMMAS, client_columns
from tests.management.status.changing_server import Client, Server
from tests.steps import assert_linear, count_steps

COLUMNS = [*list(CLIENT_COLUMNS)[:-1], "Peer ID", "Data Channel Cipher"]
HEADER = "HEADER,CLIENT_LIST," + ",".join(COLUMNS)
START = ["TITLE,OpenVPN 2.6.14 x", "TIME,x,1795600000"]
START_3 = [line.replace(",", "\t") for line in (*START, HEADER)]
COMMAS = "CLIENT_LIST,{},192.0.2.1:4,10.8.0.2,,1,2,1795600000,{},1,1,C"


def encode(lines: list[str]) -> list[bytes]:
    return [line.encode() for line in lines]


def parse(lines: list[str]) -> ServerStatus:
    status = parse_status(encode(lines))
    assert isinstance(status, ServerStatus)
    return status


def test_a_row_with_thousands_of_commas_costs_no_more_than_one_with_hundreds() -> None:
    columns = client_columns(tuple(CLIENT_COLUMNS), ",")

    def steps(commas: int) -> int:
        row = COMMAS.format("," * commas, "bob").encode()

        def attempt() -> None:
            with pytest.raises(ValueError, match="fields"):
                columns.parse(row)

        return count_steps(attempt)

    assert steps(16_000) <= steps(MAX_COMMAS + 1) + 10


def test_rows_with_the_most_commas_are_parsed_in_linear_time() -> None:
    assert_linear(
        lambda commas: lambda: parse([*START, HEADER, COMMAS.format("," * commas, "," * commas)]),
        MAX_COMMAS // 4,
    )


@given(st.text("a,1", max_size=12), st.text("a,1", max_size=12))
def test_commas_in_names_are_resolved_wherever_one_way_alone_is_possible(
    name: str, username: str
) -> None:
    """Each way to distribute the commas is compared, one after the other."""
    row = COMMAS.format(name, username)
    fields = row.split(",")[1:]
    surplus = len(fields) - len(COLUMNS)
    ways = set()
    for in_name in range(surplus + 1):
        way = [",".join(fields[: in_name + 1]), *fields[in_name + 1 :]]
        way[7 : 8 + surplus - in_name] = [",".join(way[7 : 8 + surplus - in_name])]
        if all(way[index].isdigit() for index in (4, 5, 6, 8, 9)):
            ways.add((way[0], way[7]))
    clients = parse([*START, HEADER, row]).clients
    assert [(client.common_name, client.username) for client in clients] == (
        [ways.pop()] if len(ways) == 1 else []
    )


def test_few_long_rows_are_no_single_batch() -> None:
    rows = ["CLIENT_LIST," + "," * (LINE_LIMIT - 20) + "x"] * 64
    reader = StatusReader().read_in_batches(encode([*START, HEADER, *rows]), None)
    assert sum(1 for _ in reader) >= 64 * LINE_LIMIT // MAX_BYTES


@pytest.mark.parametrize("size", [1000, 2000])
def test_headers_are_few(size: int) -> None:
    headers = [f"{HEADER},{number}" for number in range(size)]
    assert parse([*START, *headers]).unparsed == size
    assert_linear(lambda count: lambda: parse([*START, *headers[:count]]), size // 2)


def test_a_header_of_thousands_of_columns_is_none() -> None:
    header = HEADER + ",x" * 5000
    assert parse([*START, header, COMMAS.format("a", "b") + ",x" * 5000]).unparsed == 2


def test_rows_that_begin_alike_are_looked_up_in_linear_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_cache, "_INDEXED_AT_ONCE", 5)

    def call(count: int) -> Callable[[], Status]:
        reader = StatusReader(routes=False)
        alike = [Client(1, b"UNDEF", cipher=b"%d" % number) for number in range(count)]
        reader.read(Server(alike).lines())
        others = [Client(number, b"bob") for number in range(2, count)]
        return lambda: reader.read(Server(others).lines())

    assert_linear(call, 1000)


def test_clients_that_look_alike_are_parsed_in_linear_time() -> None:
    def lines(count: int) -> list[str]:
        return [
            "OpenVPN CLIENT LIST",
            "Updated,2026-11-23 03:53:03",
            "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
            *["x,::1,1,2,2026-11-23 03:53:03"] * count,
            "Virtual Address,Common Name,Real Address,Last Ref",
            *[
                f"10.8.{number >> 8}.{number & 255},x,::1,2026-11-23 03:53:03"
                for number in range(count)
            ],
        ]

    assert_linear(lambda count: lambda: parse(lines(count)), 50)


@pytest.mark.parametrize(
    ("limit", "row"),
    [
        ("MAX_CLIENTS", "CLIENT_LIST,a,::1,,,1,2,3,a,1,1,C"),
        ("MAX_ROUTES", "ROUTING_TABLE,10.8.0.2,a,::1,3"),
    ],
)
def test_more_rows_than_a_daemon_can_have_are_refused(
    limit: str, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, limit, 3)
    routes = "HEADER,ROUTING_TABLE,Virtual Address,Common Name,Real Address,Last Ref (time_t)"
    assert parse([*START, HEADER, routes, *[row] * 3]).unparsed == 0
    with pytest.raises(ReplyError, match="more than 3"):
        parse([*START, HEADER, routes, *[row] * 4])


def test_the_rows_are_sorted_in_batches() -> None:
    """Whether a row is a client's is known after the last row."""
    rows = ["CLIENT_LIST\ta\t::1\t\t\t1\t2\t3\ta\t1\t1\tC"] * (10 * MAX_ROWS)
    reader = StatusReader().read_in_batches(encode([*START_3, *rows]), None)
    assert sum(1 for _ in reader) >= 20


def test_statistics_of_a_million_lines_are_refused() -> None:
    with pytest.raises(ReplyError, match="more than"):
        parse_status([statistics.TITLE, b"Updated,2026-11-23 03:53:03", *[b"x"] * 1000])
