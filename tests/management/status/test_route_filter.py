"""Routes are selected by the real address of their client, and never one too few."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.status import ServerStatus, StatusReader
from exporter.management.status.route_filter import RouteFilter
from tests.management.status.changing_server import Client, Server
from tests.management.status.status_printer import ROUTE_COLUMNS
from tests.steps import count_steps

ALICE = b"ROUTING_TABLE\t10.8.0.2\talice\t192.0.2.1:5\tD\t1"
BOB = b"ROUTING_TABLE\t10.8.0.3\tbob\t192.0.2.2:5\tD\t1"
SHORT = b"ROUTING_TABLE\t10.8.0.3\tbob"
LINES = [ALICE, BOB, SHORT]


def selected(
    *addresses: str, columns: tuple[str, ...] = ROUTE_COLUMNS, separator: str = "\t"
) -> list[bytes]:
    routes = RouteFilter(separator)
    routes.set_columns(columns)
    for address in addresses:
        routes.add(address)
    return list(routes.select(LINES))


def test_routes_of_other_clients_are_left_out() -> None:
    assert selected("192.0.2.2:5") == [BOB, SHORT]


@pytest.mark.parametrize("address", ["192.0.2.9:5\\x00", "192.0.2.9:5é", "x…1234"])
def test_all_are_selected_for_an_address_that_may_be_printed_otherwise(address: str) -> None:
    assert selected(address, "192.0.2.2:5") == LINES


@pytest.mark.parametrize(
    "columns", [(), ROUTE_COLUMNS[:3], (*ROUTE_COLUMNS, "Real Address"), ("Common Name",)]
)
def test_all_are_selected_under_an_odd_header(columns: tuple[str, ...]) -> None:
    assert selected("192.0.2.2:5", columns=columns) == LINES


def test_all_are_selected_in_format_2() -> None:
    assert selected("x", separator=",") == LINES


def test_all_are_selected_before_a_header() -> None:
    assert RouteFilter("\t").select(LINES) == LINES


def test_clients_may_be_added_between_two_calls() -> None:
    routes = RouteFilter("\t")
    routes.set_columns(ROUTE_COLUMNS)
    routes.add("192.0.2.2:5")
    assert routes.select([ALICE, BOB]) == [BOB]
    routes.add("192.0.2.1:5")
    assert routes.select([ALICE, BOB]) == [ALICE, BOB]


def test_of_thousands_of_clients_are_selected_in_as_many_steps() -> None:
    def steps(count: int) -> int:
        routes = RouteFilter("\t")
        routes.set_columns(ROUTE_COLUMNS)
        for port in range(10, 10 + count):
            routes.add(f"192.0.2.1:{port}")
        return count_steps(lambda: routes.select(LINES))

    assert steps(2000) == steps(1)


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_a_client_without_an_address_is_connected_if_it_has_a_route(
    addressed: set[int], routed: set[int]
) -> None:
    clients = [
        Client(n, b"c%d" % n, b"10.8.0.2" * (n in addressed), has_route=n in routed)
        for n in range(30)
    ]
    status = StatusReader(routes=False).read(Server(clients).lines())
    assert isinstance(status, ServerStatus)
    connected = {row.client_id for row in status.clients}
    assert connected == {n for n in range(30) if n in addressed or n in routed}
