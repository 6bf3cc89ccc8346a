"""The metrics of clients that are expected on any server, on the page."""

import pytest
from prometheus_client import CollectorRegistry

from exporter.config.schema import Config
from exporter.metrics.daemon_text import BLOCK_SIZE
from exporter.metrics.expected_clients import CONNECTED, LAST_SEEN, METRICS, ExpectedClientLines
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.state.expected_clients import ExpectedClients
from tests.metrics.daemons import NOON, poll, server, server_status
from tests.metrics.parsing import FORMATS, Series, parse, values

HOSTILE = 'a"b\\c'


def exposition(*items: str) -> Exposition:
    clients = ExpectedClients()
    clients.configure(Config(expected_clients=items))
    return Exposition((), CollectorRegistry(), expected_clients=ExpectedClientLines(clients))


def gone(daemon: DaemonState) -> DaemonState:
    poll(daemon, server_status(), now=NOON + 15)
    return daemon


def series(name: str, common_name: str) -> Series:
    return Series(name, frozenset({("common_name", common_name)}))


@pytest.mark.parametrize("accept", FORMATS)
def test_each_client_has_one_series_without_a_daemon(accept: str) -> None:
    shown = exposition("alice", HOSTILE)
    daemons = [server("a"), server("b")]
    page = shown.page(daemons, accept=accept)
    assert values(parse(page.body, page.content_type)) == {
        series(CONNECTED.name, "alice"): 1,
        series(CONNECTED.name, HOSTILE): 0,
        Series("openvpn_exporter_expected_clients_not_exported", frozenset()): 0,
    }
    page = shown.page(list(map(gone, daemons)), accept=accept)
    assert values(parse(page.body, page.content_type)) == {
        series(CONNECTED.name, "alice"): 0,
        series(CONNECTED.name, HOSTILE): 0,
        series(LAST_SEEN.name, "alice"): NOON,
        Series("openvpn_exporter_expected_clients_not_exported", frozenset()): 0,
    }


def test_without_expected_clients_there_is_no_series_and_no_family() -> None:
    body = exposition().page([server()]).body
    assert not [metric for metric in METRICS if metric.name.encode() in body]


def test_names_select_families() -> None:
    body = exposition("alice").page([server()], names=[CONNECTED.name]).body.decode()
    assert [line.split("{")[0] for line in body.splitlines() if line[0] != "#"] == [CONNECTED.name]


def test_the_page_of_a_probe_has_none() -> None:
    """It knows one daemon only."""
    assert b"expected_client" not in exposition("alice").page([server()], include_self=False).body


async def test_many_clients_are_rendered_before_the_page_and_once_for_all_polls() -> None:
    names = [f"client-{number:05}" for number in range(5000)]
    shown, daemon = exposition(*names), server()
    await shown.prerender_expected_clients([daemon])
    first = shown.page([daemon])
    assert first.body.count(b"\nopenvpn_expected_client_connected{") == len(names)
    poll(daemon, server_status(), now=NOON + 15)
    second = shown.page([daemon])
    blocks = {id(block) for block in first.blocks if sum(map(len, block.parts)) > BLOCK_SIZE}
    assert blocks
    assert blocks <= {id(block) for block in second.blocks}
