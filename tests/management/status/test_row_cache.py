"""A reader with a previous status parses the next one like a new reader."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.management.errors import ReplyError
from exporter.management.reply_lines import ReplyLines
from exporter.management.status import ClientRow, ServerStatus, Status, StatusReader
from exporter.management.status.row_cache import RowCache
from tests.management.status.status_printer import ROUTE_COLUMNS, Layout
from tests.steps import most_freed

PROLOGUE = (b"TITLE\tOpenVPN 2.6.14", b"TIME\t2026-11-23 03:53:03\t1795405983")
EPILOGUE = (
    "\t".join(["HEADER", "ROUTING_TABLE", *ROUTE_COLUMNS]).encode(),
    b"ROUTING_TABLE\t10.8.0.2\talice\t192.0.2.1:5\tD\t1795405983",
    b"GLOBAL_STATS\tMax bcast/mcast queue length\t2",
)
ODD_LAYOUTS = (
    ("Common Name", "Real Address", "Bytes Sent", "Bytes Received", "Virtual Address"),
    ("Bytes Received", "Bytes Sent", "Common Name", "Real Address"),
    ("Common Name", "Real Address", "Bytes Received", "Virtual Address", "Bytes Sent"),
    ("Common Name", "Real Address", "Virtual Address", "Bytes Received", "Bytes Sent", "New"),
    ("Common Name", "Real Address", "Bytes Received", "Bytes Sent", "Bytes Sent"),
)
SINCE = "Connected Since (time_t)"
LAYOUTS = (
    *(layout.value for layout in Layout),
    *((*layout, SINCE) for layout in ODD_LAYOUTS),
    *((SINCE, *layout) for layout in ODD_LAYOUTS),
)

FIELDS = st.sampled_from(
    [
        b"", b"0", b"1", b"00", b"7", b"12345", b"9" * 19, b"18446744073709551615", b"9" * 20,
        b"0" * 20, b"0" * 19 + b"1", b" 1", b"+1", b"-1", b"1_0", b"\xd9\xa1", b"1e3", b"UNDEF",
        b"alice", b"bob", b"al\xffice", b"al\xfeice", b"a\tb", b"\t", b"a" * 200, b"a" * 201,
        b"CLIENT_LIST", b"END", b"10.8.0.2", b"AES-256-GCM", b"\x00", b"\x1b[31m", b"\xe6\x97",
    ]
)  # fmt: skip
NUMBERS = st.integers(0, 3).map(lambda number: str(number).encode())

Row = list[bytes]


class Table:
    """A table whose rows can be edited."""

    def __init__(self, layout: Sequence[str], rows: list[Row]) -> None:
        self.layout = layout
        self.rows = rows

    def lines(self) -> list[bytes]:
        header = b"\t".join([b"HEADER\tCLIENT_LIST", *(name.encode() for name in self.layout)])
        rows = [b"\t".join([b"CLIENT_LIST", *row]) for row in self.rows]
        return [*PROLOGUE, header, *rows, *EPILOGUE]


@st.composite
def rows(draw: st.DrawFn, layout: Sequence[str]) -> Row:
    """Draw a row, mostly a valid one."""
    numeric = ("Bytes", "time_t", "ID")
    return [draw(NUMBERS if any(word in name for word in numeric) else FIELDS) for name in layout]


@st.composite
def histories(draw: st.DrawFn) -> list[list[bytes]]:
    """Draw successive versions of a table, with edits in between."""
    layout = draw(st.sampled_from(LAYOUTS))
    table = Table(layout, draw(st.lists(rows(layout), min_size=1, max_size=4)))
    history = [table.lines()]
    for _ in range(draw(st.integers(1, 6))):
        match draw(st.sampled_from(["field", "field", "field", "row", "no row", "swap", "layout"])):
            case "field" if table.rows:
                row = draw(st.sampled_from(table.rows))
                row[draw(st.integers(0, len(row) - 1))] = draw(FIELDS | NUMBERS)
            case "row":
                table.rows.append(draw(rows(table.layout) | st.lists(FIELDS, min_size=1)))
            case "no row" if table.rows:
                table.rows.pop(draw(st.integers(0, len(table.rows) - 1)))
            case "swap":
                table.rows = draw(st.permutations(table.rows))
            case "layout":
                table.layout = draw(st.sampled_from(LAYOUTS))
            case _:
                pass
        history.append(table.lines())
    return history


def read(reader: StatusReader, lines: Sequence[bytes]) -> Status | str:
    try:
        return reader.read(lines)
    except ReplyError as error:
        return str(error)


def without_cache(lines: Sequence[bytes]) -> Status | str:
    return read(StatusReader(), lines)


@given(histories())
def test_the_cache_hides_no_edit(history: list[list[bytes]]) -> None:
    reader = StatusReader()
    for lines in history:
        assert read(reader, lines) == without_cache(lines)


def table(*fields: bytes) -> list[bytes]:
    return Table(Layout.V2_5.value, [list(fields)]).lines()


ALICE = (
    b"alice", b"192.0.2.1:5", b"10.8.0.2", b"", b"5", b"6", b"D", b"1795404614", b"al", b"4", b"5",
    b"AES-256-GCM",
)  # fmt: skip


@given(st.integers(0, len(ALICE) - 1), FIELDS | NUMBERS)
@example(4, b"9" * 20)
@example(5, b"18446744073709551615")
@example(5, b"18446744073709551616")
@example(4, b" 1")
@example(5, b"+1")
def test_the_cache_hides_no_change_of_a_field(place: int, field: bytes) -> None:
    reader = StatusReader()
    read(reader, table(*ALICE))
    edited = table(*ALICE[:place], field, *ALICE[place + 1 :])
    assert read(reader, edited) == without_cache(edited)
    assert read(reader, table(*ALICE)) == without_cache(table(*ALICE))


@pytest.mark.parametrize(
    ("layout", "before", "after"),
    [
        ("Common Name|Real Address|Bytes Received|Bytes Sent|Username", "ab|c|1|2|d", "a|bc|1|2|d"),
        ("Common Name|Real Address|Bytes Received|Bytes Sent|Username", "a|b|1|2|cd", "a|bc|1|2|d"),
        ("Common Name|Real Address|Bytes Received|Username|Bytes Sent", "a|b|1|2|3", "a|b|4|5|3"),
        ("Common Name|Real Address|Bytes Sent|Bytes Received|Username", "a|b|1|2|c", "a|b|3|4|c"),
        ("Common Name|Real Address|Username|Bytes Received|Bytes Sent", "a|b|c|1|2", "a|b|c|3|4"),
        (
            "Common Name|Real Address|Bytes Received|Bytes Sent|Username|Bytes Sent",
            "a|b|1|2|c|3",
            "a|b|1|7|c|8",
        ),
    ],
)
def test_the_cache_confuses_no_fields(layout: str, before: str, after: str) -> None:
    reader = StatusReader()
    for row in (before, after):
        names = [*layout.split("|"), SINCE]
        lines = Table(names, [[*row.encode().split(b"|"), b"9"]]).lines()
        status = read(reader, lines)
        assert status == without_cache(lines)
        assert isinstance(status, ServerStatus)
        assert len(status.pending) == 1


def client(reader: StatusReader, *fields: bytes) -> ClientRow:
    status = read(reader, table(*fields))
    assert isinstance(status, ServerStatus)
    return status.clients[0]


def test_an_unchanged_row_is_the_same_object() -> None:
    reader = StatusReader()
    assert client(reader, *ALICE) is client(reader, *ALICE)


def test_a_row_with_new_counters_is_the_same_object() -> None:
    reader = StatusReader()
    before = client(reader, *ALICE)
    assert client(reader, *ALICE[:4], b"1000", b"2000", *ALICE[6:]) is before
    assert (before.received_bytes, before.sent_bytes) == (1000, 2000)


def test_a_row_missing_from_a_status_is_forgotten() -> None:
    reader = StatusReader()
    before = client(reader, *ALICE)
    client(reader, b"bob", *ALICE[1:])
    assert client(reader, *ALICE) is not before


def test_the_rows_of_a_status_with_the_same_ones_are_the_same_object() -> None:
    reader = StatusReader()
    longer = Table(Layout.V2_5.value, [list(ALICE), [b"bob", *ALICE[1:]]]).lines()
    for lines in (longer, table(*ALICE)):
        read(reader, lines)
        before, after = (read(reader, lines) for _ in range(2))
        assert isinstance(before, ServerStatus)
        assert isinstance(after, ServerStatus)
        assert after.clients is before.clients


def test_thousands_of_rows_that_are_gone_are_freed_in_steps() -> None:
    statuses, reader, count = list[Status](), StatusReader(), 5000
    old, new = (
        Table(Layout.V2_5.value, [[b"c%d" % number, *ALICE[1:]] for number in numbers]).lines()
        for numbers in (range(count), range(count, 2 * count))
    )
    statuses.append(reader.read(old))  # which has the rows themselves
    assert most_freed(reader.read_in_batches(ReplyLines.of(new), None)) < 1.5 * count


def test_only_rows_that_were_replaced_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    names, parse = [b"c%d" % number for number in range(200)], RowCache.parse
    reader, parsed = StatusReader(), list[bytes]()

    def count(cache: RowCache, line: bytes) -> ClientRow:
        parsed.append(line.split(b"\t")[1])
        return parse(cache, line)

    def lines() -> list[bytes]:
        return Table(Layout.V2_5.value, [[name, *ALICE[1:]] for name in names]).lines()

    read(reader, lines())
    replaced = range(20, 200, 20)
    for place in replaced:
        names[place] = b"n%d" % place
    monkeypatch.setattr(RowCache, "parse", count)
    read(reader, lines())
    assert parsed == [b"n%d" % place for place in replaced]


def test_the_cache_survives_a_status_without_a_time() -> None:
    reader = StatusReader()
    first = client(reader, *ALICE)
    without = [line for line in table(*ALICE) if not line.startswith(b"TIME")]
    assert read(reader, without) == without_cache(without)
    assert client(reader, *ALICE) == first


def test_a_long_status_is_parsed_in_chunks() -> None:
    lines = Table(Layout.V2_5.value, [list(ALICE)] * 9000).lines()
    assert sum(1 for _ in StatusReader().read_in_batches(lines, None)) > 3
