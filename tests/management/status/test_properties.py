"""A printed status is parsed back, whatever the names."""

from datetime import datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.messages import MultilineReply
from exporter.management.protocol import ManagementProtocol
from exporter.management.status import ClientRow, ServerStatus, Status, parse_status
from tests.management.captures import GREETING
from tests.management.status.status_printer import Layout, Printer, iso
from tests.management.status.strategies import server_statuses

PRINTERS = st.builds(
    Printer, layout=st.sampled_from(Layout), date=st.sampled_from([iso, datetime.ctime])
)


def through_protocol(lines: list[bytes]) -> Status:
    protocol = ManagementProtocol()
    protocol.receive_data(GREETING)
    [message] = protocol.receive_data(b"".join(line + b"\r\n" for line in [*lines, b"END"]))
    assert isinstance(message, MultilineReply)
    return parse_status(message.lines)


def as_printed_by(layout: Layout, client: ClientRow) -> ClientRow:
    """Remove from a row the columns that this layout does not have."""
    late: dict[str, object] = {}
    if "Username" not in layout.value:
        late |= {"username": ""}
    if "Client ID" not in layout.value:
        late |= {"virtual_ipv6_address": "", "client_id": None}
    if "Data Channel Cipher" not in layout.value:
        late |= {"cipher": ""}
    return msgspec.structs.replace(client, **late)


@given(server_statuses())
def test_format_3_round_trips(status: ServerStatus) -> None:
    assert through_protocol(Printer(Layout.V2_5, iso).table(status, "\t")) == status


@given(server_statuses(), PRINTERS)
def test_format_3_of_any_version_round_trips(status: ServerStatus, printer: Printer) -> None:
    read = through_protocol(printer.table(status, "\t"))
    assert isinstance(read, ServerStatus)
    # Before 2.4 there is no column for an IPv6 address: a route proves the login all the same.
    assert read.clients == tuple(as_printed_by(printer.layout, row) for row in status.clients)
    assert read.pending == tuple(as_printed_by(printer.layout, row) for row in status.pending)
    assert read.routes == status.routes
    assert read.unparsed == 0


@given(server_statuses(), PRINTERS)
def test_format_1_round_trips(status: ServerStatus, printer: Printer) -> None:
    expected = msgspec.structs.replace(
        status,
        clients=tuple(as_in_format_1(client) for client in status.clients),
        pending=tuple(as_in_format_1(client) for client in status.pending),
        dco_enabled=None,
        title="",
    )
    assert through_protocol(printer.report(status)) == expected


def as_in_format_1(client: ClientRow) -> ClientRow:
    return msgspec.structs.replace(client, username="", client_id=None, cipher="")


@given(server_statuses(), PRINTERS)
def test_format_2_round_trips_or_counts_ambiguous_rows(
    status: ServerStatus, printer: Printer
) -> None:
    read = through_protocol(printer.table(status, ","))
    assert isinstance(read, ServerStatus)
    printed = [as_printed_by(printer.layout, client) for client in status.clients + status.pending]
    rows = [*read.clients, *read.pending]
    assert all(row in printed for row in rows)
    assert len(rows) + read.unparsed == len(printed)
    assert read.routes == status.routes


@given(server_statuses())
def test_skipping_routes_changes_nothing_else(status: ServerStatus) -> None:
    lines = Printer(Layout.V2_5, iso).table(status, "\t")
    assert parse_status(lines, routes=False) == msgspec.structs.replace(status, routes=())
