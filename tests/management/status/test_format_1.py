"""Status format 1, which has been the same from 2.1 to 2.7."""

import pytest

from exporter.management.errors import ReplyError
from exporter.management.status import ClientRow, RouteRow, ServerStatus, parse_status

CLIENTS = "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since"
ROUTES = "Virtual Address,Common Name,Real Address,Last Ref"
MOMENT = 1795404614
ALICE = "alice,127.0.0.1:49630,3005,3122,2026-11-23 03:30:14"
ALICE_ROUTE = "10.8.0.2,alice,127.0.0.1:49630,2026-11-23 03:30:14"


def read(
    clients: list[str], routes: list[str], *more: str, printed_at: float | None = None
) -> ServerStatus:
    lines = ["OpenVPN CLIENT LIST", "Updated,2026-11-23 03:30:14", CLIENTS, *clients]
    lines += ["ROUTING TABLE", ROUTES, *routes, "GLOBAL STATS", *more]
    status = parse_status([line.encode() for line in lines], printed_at)
    assert isinstance(status, ServerStatus)
    return status


@pytest.mark.parametrize("date", ["2026-11-23 03:30:14", "Mon Nov 23 03:30:14 2026"])
def test_both_spellings_of_dates_are_parsed(date: str) -> None:
    status = read([f"alice,::1,3005,3122,{date}"], [f"10.8.0.2,alice,::1,{date}"])
    assert status.clients == (ClientRow("alice", "::1", "10.8.0.2", "", 3005, 3122, MOMENT),)
    assert status.routes == (RouteRow("10.8.0.2", "alice", "::1", MOMENT),)


@pytest.mark.parametrize("offset", [3600, -12600, 20700])
def test_all_dates_are_of_the_zone_of_the_first_one(offset: int) -> None:
    status = read([ALICE], [ALICE_ROUTE], printed_at=MOMENT - offset + 9.5)
    assert status.updated == MOMENT - offset
    assert status.clients[0].connected_since == MOMENT - offset
    assert status.routes[0].last_reference == MOMENT - offset


def test_routes_and_statistics_are_parsed() -> None:
    status = read([ALICE], [ALICE_ROUTE], "Max bcast/mcast queue length,7")
    assert (status.updated, status.max_queue_length, status.dco_enabled) == (MOMENT, 7, None)
    assert (status.title, status.route_count, status.unparsed) == ("", 1, 0)


def test_a_server_without_clients_is_a_status() -> None:
    status = read([], [])
    assert (status.clients, status.pending, status.route_count) == ((), (), 0)


@pytest.mark.parametrize(
    ("routes", "v4", "v6"),
    [
        (["10.8.0.2", "fd00:8::1"], "10.8.0.2", "fd00:8::1"),
        (["fd00:8::1"], "", "fd00:8::1"),
        (["10.8.0.2", "192.168.77.0/24", "192.168.77.5C", "fd00:77::5C"], "10.8.0.2", ""),
        (["9e:45:f9:23:0a:9c@0"], "", ""),
        (["9e:45:f9:23:0a:9c"], "", ""),
    ],
)
def test_virtual_addresses_come_from_the_routes(routes: list[str], v4: str, v6: str) -> None:
    status = read([ALICE], [ALICE_ROUTE.replace("10.8.0.2", address) for address in routes])
    [client] = status.clients
    assert (client.virtual_address, client.virtual_ipv6_address) == (v4, v6)


def test_a_client_without_a_route_is_pending() -> None:
    status = read(
        [ALICE, ALICE.replace("alice", "bob"), "UNDEF,::1,1,2,2026-11-23 03:30:14"], [ALICE_ROUTE]
    )
    assert [client.common_name for client in status.clients] == ["alice"]
    assert [client.common_name for client in status.pending] == ["bob", ""]


def test_a_client_without_a_name_has_its_route() -> None:
    status = read(["UNDEF,::1,1,2,2026-11-23 03:30:14"], ["10.8.0.2,UNDEF,::1,2026-11-23 03:30:14"])
    assert status.clients == (ClientRow("", "::1", "10.8.0.2", "", 1, 2, MOMENT),)
    assert status.routes[0].common_name == ""


def test_two_clients_that_look_alike_get_no_virtual_address() -> None:
    row, route = (
        ALICE.replace("127.0.0.1:49630", "::1"),
        ALICE_ROUTE.replace("127.0.0.1:49630", "::1"),
    )
    status = read([row, row], [route, route.replace("10.8.0.2", "10.8.0.3")])
    assert [client.virtual_address for client in status.clients] == ["", ""]


@pytest.mark.parametrize(
    "name",
    [">FATAL:x", "SUCCESS: x", "END", "Doe, John", 'a"b\\c', "GLOBAL STATS", "ROUTING TABLE",
     "ROUTING TABLE,", CLIENTS, ROUTES, "Updated", "a,127.0.0.1:1,1,2,2026-11-23 03:30:14"],
)  # fmt: skip
def test_any_name_is_parsed(name: str) -> None:
    status = read([ALICE.replace("alice", name)], [ALICE_ROUTE.replace("alice", name)])
    assert [client.common_name for client in status.clients] == [name]
    assert [route.common_name for route in status.routes] == [name]
    assert (status.pending, status.unparsed) == ((), 0)


def test_a_name_with_invalid_bytes_is_cleaned() -> None:
    lines = [b"OpenVPN CLIENT LIST", b"Updated,2026-11-23 03:30:14", CLIENTS.encode()]
    status = parse_status([*lines, b"\xff\x1b,::1,1,2,2026-11-23 03:30:14"])
    assert isinstance(status, ServerStatus)
    assert status.pending[0].common_name == r"\xff\x1b"


@pytest.mark.parametrize(
    "line", ["", "nonsense", "x,y", ALICE.replace("3005", "many"), ALICE.replace("2026", "soon")]
)
def test_a_row_that_cannot_be_parsed_is_counted(line: str) -> None:
    status = read([line, ALICE], [line, ALICE_ROUTE], line)
    assert [client.common_name for client in status.clients] == ["alice"]
    assert status.unparsed in (2, 3)  # some of them are valid routes


@pytest.mark.parametrize("updated", ["Updated,soon", "nonsense", CLIENTS])
def test_a_status_without_a_time_is_an_error(updated: str) -> None:
    with pytest.raises(ReplyError, match="Updated"):
        parse_status([b"OpenVPN CLIENT LIST", updated.encode()])
