"""Clients that are expected on any server, in the output of `check`."""

from pathlib import Path

import msgspec

from exporter.certificates.issued import IssuedCertificate, IssuedCertificates
from exporter.certificates.pki import PkiState, pki_source
from exporter.cli.expected_clients import check_expected, count_expected
from exporter.config.pki import PkiConfig
from exporter.config.schema import ClientsConfig, Config, PrivacyMode
from exporter.config.target import targets
from exporter.openvpn_config import DiscoveredDaemon, Discovery
from tests.metrics.daemons import NOON, office_daemon, server, take_down

START = "clients expected on any server"


def config(*items: str) -> Config:
    ccd = tuple(f"branch-{number}" for number in range(12))
    daemon = DiscoveredDaemon("office", Path("office.conf"), None, (), ccd)
    return Config(expected_clients=items, discovery=Discovery((daemon,)))


def test_without_expected_clients_there_is_no_line() -> None:
    assert [*count_expected(config(), {}), *check_expected(config(), [server()])] == []


def test_clients_of_names_and_patterns_are_counted() -> None:
    assert list(count_expected(config("alice", "branch-*"), {})) == [f"{START}: 13"]


def test_pattern_that_no_name_matches_is_named() -> None:
    assert list(count_expected(config("alice", "branch-*", "brnch-*"), {})) == [
        f"{START}: 13",
        "expected_clients: no name matches 'brnch-*'",
    ]
    hidden = msgspec.structs.replace(
        config("branch-*", "brnch-*"), clients=ClientsConfig(privacy=PrivacyMode.NONE)
    )
    assert len(list(count_expected(hidden, {}))) == 1


def test_names_with_a_valid_certificate_are_counted(tmp_path: Path) -> None:
    pki = PkiConfig(index=tmp_path / "index.txt")
    found = msgspec.structs.replace(config("branch-*"), daemons=(office_daemon(),), pki=pki)
    (target,) = targets(found)
    source = pki_source(target)
    assert source is not None
    issued = IssuedCertificates([IssuedCertificate("branch-x", 1, NOON + 60, revoked=False)])
    assert list(count_expected(found, {source: PkiState(source, NOON, issued)})) == [f"{START}: 13"]


def test_privacy_that_hides_all_clients_is_named() -> None:
    hidden = msgspec.structs.replace(
        config("alice"), clients=ClientsConfig(privacy=PrivacyMode.NONE)
    )
    for line in (*count_expected(hidden, {}), *check_expected(hidden, [server()])):
        assert line.endswith("; they have no series, because of 'privacy: none'")


def test_missing_clients_are_named() -> None:
    assert list(check_expected(config("alice", "bob"), [server()])) == [
        f"{START}: 1 connected; 1 missing (bob)"
    ]
    (line,) = check_expected(config("alice", "branch-*"), [server()])
    assert line.startswith(f"{START}: 1 connected; 12 missing (branch-0, branch-1, ")
    assert line.endswith(" and 2 more)")


def test_clients_are_unknown_while_a_server_is_down() -> None:
    down = server("b")
    take_down(down)
    assert list(check_expected(config("alice", "bob"), [server(), down])) == [
        f"{START}: 1 connected; 0 missing; 1 unknown, because a server is down"
    ]
