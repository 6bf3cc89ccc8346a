"""Clients that are expected on any server, in the output of `check`."""

from pathlib import Path

from exporter.cli.expected_clients import check_expected, count_expected
from exporter.config.schema import Config
from exporter.openvpn_config import DiscoveredDaemon, Discovery
from tests.metrics.daemons import server, take_down


def config(*items: str) -> Config:
    ccd = tuple(f"branch-{number}" for number in range(12))
    daemon = DiscoveredDaemon("office", Path("office.conf"), None, (), ccd)
    return Config(expected_clients=items, discovery=Discovery((daemon,)))


def test_without_expected_clients_there_is_no_line() -> None:
    assert [*count_expected(config()), *check_expected(config(), [server()])] == []


def test_clients_of_names_and_patterns_are_counted() -> None:
    assert list(count_expected(config("alice", "branch-*"))) == [
        "expected on any server: 13 clients"
    ]


def test_missing_clients_are_named() -> None:
    assert list(check_expected(config("alice", "bob"), [server()])) == [
        "expected on any server: 1 connected; 1 missing (bob)"
    ]
    (line,) = check_expected(config("alice", "branch-*"), [server()])
    assert line.startswith("expected on any server: 1 connected; 12 missing (branch-0, branch-1, ")
    assert line.endswith(" and 2 more)")


def test_clients_are_unknown_while_a_server_is_down() -> None:
    down = server("b")
    take_down(down)
    assert list(check_expected(config("alice", "bob"), [server(), down])) == [
        "expected on any server: 1 connected; 0 missing; 1 unknown, because a server is down"
    ]
