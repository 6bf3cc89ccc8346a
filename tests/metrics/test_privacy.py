"""Names and addresses of clients on the page, in each privacy mode."""

from pathlib import Path

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry

from exporter.config.schema import ClientsConfig, PrivacyMode
from exporter.config.secret_files import PrivacyKey
from exporter.config.target import Target
from exporter.management.errors import ConnectionRefused
from exporter.management.notifications import Fatal
from exporter.management.status import ClientRow, RouteRow
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from tests.metrics.daemons import (
    CERTIFICATES,
    NOON,
    OFFICE_CLIENT,
    office_daemon,
    poll,
    server_status,
    start_session,
)
from tests.metrics.parsing import Series, scrape, values

ALICE = structs.replace(OFFICE_CLIENT, real_address="203.0.113.77:1194")
BOB = ClientRow(
    common_name="",
    real_address="2001:db8:1:2::b0b",
    virtual_address="10.8.1.9",
    virtual_ipv6_address="fd00:8::9",
    received_bytes=30,
    sent_bytes=40,
    connected_since=NOON - 60,
    username="bob@lisbon",
    client_id=5,
)
ROUTES = [
    RouteRow("10.8.0.6", "alice", "203.0.113.77:1194", NOON - 30),
    RouteRow("10.8.0.7", "alice", "203.0.113.77:1194", NOON - 60),
    RouteRow("192.168.77.0/24", "alice", "203.0.113.77:1194", NOON),
]
PERSONAL = (
    "alice",
    "bob",
    "carol",
    "203.0.113.77",
    "b0b",
    "10.8.0.6",
    "10.8.0.7",
    "10.8.1.9",
    "fd00::6",
    "fd00:8::9",
)
PER_CLIENT = {"common_name", "username", "session", "real_address", "virtual_address"}

KEY = PrivacyKey(Path("key"), b"a key of the house")
P_ALICE = "p-69d757815fa6a51e"


def daemon(privacy: PrivacyMode) -> DaemonState:
    clients = ClientsConfig(routes=True, privacy=privacy, privacy_key_file=KEY)
    target = Target(office_daemon(expected=("alice", "carol")), clients)
    daemon = DaemonState(target, absolute=True)
    start_session(daemon)
    daemon.set_certificates(CERTIFICATES)
    poll(daemon, server_status([ALICE, BOB], ROUTES))
    return daemon


def text_of(daemon: DaemonState) -> str:
    return Exposition(FAMILIES, CollectorRegistry()).page([daemon]).body.decode()


def page(privacy: PrivacyMode) -> str:
    return text_of(daemon(privacy))


def series(privacy: PrivacyMode) -> dict[Series, float]:
    return values(scrape(FAMILIES, [daemon(privacy)], ""))


def labels(privacy: PrivacyMode, name: str) -> list[dict[str, str]]:
    return [dict(found.labels) for found in series(privacy) if found.name == name]


def test_plain_shows_names_and_addresses() -> None:
    assert [text for text in PERSONAL if text not in page(PrivacyMode.PLAIN)] == []


@pytest.mark.parametrize("privacy", [PrivacyMode.PSEUDONYM, PrivacyMode.NONE])
def test_the_other_modes_hide_names_and_addresses(privacy: PrivacyMode) -> None:
    assert [text for text in PERSONAL if text in page(privacy)] == []


def test_pseudonyms_keep_every_series() -> None:
    plain, pseudonyms = series(PrivacyMode.PLAIN), series(PrivacyMode.PSEUDONYM)
    assert len(pseudonyms) == len(plain) - 1  # two routes of alice lie in one network
    assert {found.name for found in pseudonyms} == {found.name for found in plain}


def test_pseudonyms_join_the_series_of_a_client() -> None:
    (received,) = [
        value
        for found, value in series(PrivacyMode.PSEUDONYM).items()
        if found.name == "openvpn_server_client_received_bytes_total"
        and dict(found.labels)["common_name"] == P_ALICE
    ]
    assert received == ALICE.received_bytes
    (info,) = [
        info
        for info in labels(PrivacyMode.PSEUDONYM, "openvpn_server_client_info")
        if info["common_name"] == P_ALICE
    ]
    assert info["real_address"] == "203.0.113.0/24"
    assert info["virtual_address"] == "10.8.0.0/24"
    assert info["virtual_ipv6_address"] == "fd00::/48"
    assert info["username"].startswith("p-")


def test_an_expected_client_has_its_pseudonym() -> None:
    expected = labels(PrivacyMode.PSEUDONYM, "openvpn_server_expected_client_connected")
    assert P_ALICE in {found["common_name"] for found in expected}
    assert len(expected) == 2


def test_none_keeps_totals_and_no_series_of_a_client() -> None:
    shown = series(PrivacyMode.NONE)
    assert [found for found in shown if PER_CLIENT & dict(found.labels).keys()] == []
    (connected,) = [
        value for found, value in shown.items() if found.name == "openvpn_server_connected_clients"
    ]
    assert connected == 2


def test_the_subject_of_a_clients_certificate_is_private() -> None:
    subjects = {
        privacy: {
            found.get("subject", "")
            for found in labels(privacy, "openvpn_certificate_not_after_timestamp_seconds")
        }
        for privacy in PrivacyMode
    }
    assert subjects[PrivacyMode.PLAIN] == {"office"}
    assert all(subject.startswith("p-") for subject in subjects[PrivacyMode.PSEUDONYM])
    assert subjects[PrivacyMode.NONE] == {""}


def test_a_daemon_can_have_its_own_privacy_mode() -> None:
    daemon = structs.replace(office_daemon(), privacy=PrivacyMode.NONE)
    assert not DaemonState(Target(daemon)).privacy.shows_clients


def test_a_new_privacy_mode_applies_at_once() -> None:
    changing = daemon(PrivacyMode.PLAIN)
    clients = ClientsConfig(routes=True, privacy=PrivacyMode.NONE)
    changing.reconfigure(Target(office_daemon(expected=("alice", "carol")), clients))
    assert [text for text in PERSONAL if text in text_of(changing)] == []


@pytest.mark.parametrize("privacy", PrivacyMode)
def test_the_text_of_a_fatal_error_is_private(privacy: PrivacyMode) -> None:
    failed = daemon(privacy)
    failed.on_notification("FATAL", Fatal("alice broke it"))
    failed.on_down(ConnectionRefused("127.0.0.1:7505: refused"))
    assert ("alice" in failed.down_message) is (privacy is PrivacyMode.PLAIN)
