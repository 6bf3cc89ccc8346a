"""How many series each client of a server has: the table of `docs/scaling.md`."""

import re
from pathlib import Path

import pytest
from msgspec import structs

from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.endpoint import parse_endpoint
from exporter.management.status import ClientRow, RouteRow
from exporter.metrics.catalogue import families
from exporter.state.daemon import DaemonState
from tests.metrics.daemons import NOON, OFFICE_CLIENT, poll, server_status, start_session
from tests.metrics.parsing import scrape, values

PAGE = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")

DEFAULT = ClientsConfig()

SETTINGS = {
    "the defaults": DEFAULT,
    "`routes: true`": structs.replace(DEFAULT, routes=True),
    "`info: false`": structs.replace(DEFAULT, info=False),
    "`series: false`": structs.replace(DEFAULT, series=False),
    "`series: false`, `info: false`": structs.replace(DEFAULT, series=False, info=False),
}


def client(number: int) -> ClientRow:
    address = f"10.8.0.{number}"
    return structs.replace(
        OFFICE_CLIENT, common_name=f"client-{number}", virtual_address=address, client_id=number
    )


def route(number: int) -> RouteRow:
    return RouteRow(
        virtual_address=f"10.8.0.{number}",
        common_name=f"client-{number}",
        real_address="192.0.2.7:51234",
        last_reference=NOON,
    )


def series(clients: ClientsConfig, connected: int, left: int) -> int:
    """Return the number of series of a server with such clients, each with one route."""
    config = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
    daemon = DaemonState(Target(config, clients), absolute=True)
    start_session(daemon)
    everyone = range(2, 2 + connected + left)
    poll(daemon, server_status(list(map(client, everyone)), list(map(route, everyone))))
    remaining = everyone[:connected]
    for minute in (1, 2):  # a client that one status lacks may have been overlooked
        status = server_status(list(map(client, remaining)), list(map(route, remaining)))
        poll(daemon, status, now=NOON + 60 * minute)
    return len(values(scrape(families(clients), [daemon], "")))


@pytest.mark.parametrize(("label", "clients"), SETTINGS.items(), ids=SETTINGS)
def test_a_client_has_the_series_of_the_table(label: str, clients: ClientsConfig) -> None:
    row = re.search(rf"^\| {re.escape(label)} \| (\d+)[ \w,]* \| (\d+) \|", PAGE, re.MULTILINE)
    assert row is not None
    of_connected = series(clients, 3, 0) - series(clients, 2, 0)
    of_left = series(clients, 1, 2) - series(clients, 1, 1)
    assert (of_connected, of_left) == (int(row[1]), int(row[2]))
