"""The metrics of issued certificates, and of the clients whose certificate is invalid."""

from pathlib import Path

import msgspec
import pytest

from exporter.certificates.issued import IssuedCertificate, IssuedCertificates
from exporter.certificates.pki import PkiState
from exporter.certificates.source import FileProblem
from exporter.config.schema import ClientsConfig, PrivacyMode
from exporter.config.secret_files import PrivacyKey
from exporter.state.daemon import DaemonState
from tests.metrics.daemons import (
    NOON,
    PKI,
    TUNNEL,
    new_daemon,
    poll,
    server,
    server_status,
    take_down,
    tunnel,
)
from tests.metrics.test_families import Samples, samples
from tests.state.test_client_certificates import client

DAY = 86_400
FILE = {"file": "/etc/easy-rsa/pki/index.txt"}
EXPIRY = "openvpn_issued_certificate_not_after_timestamp_seconds"
BY_STATE = "openvpn_server_clients_by_certificate"
INVALID = "openvpn_server_client_invalid_certificate_sessions"
PROBLEM = "openvpn_certificate_file_problem"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "openvpn_issued_certificates",
            [
                (FILE | {"state": "valid"}, 2),
                (FILE | {"state": "expired"}, 2),
                (FILE | {"state": "revoked"}, 1),
            ],
        ),
        (
            "openvpn_issued_certificates_expiring",
            [
                (FILE | {"within": "1d"}, 0),
                (FILE | {"within": "7d"}, 0),
                (FILE | {"within": "14d"}, 0),
                (FILE | {"within": "30d"}, 1),
                (FILE | {"within": "60d"}, 1),
                (FILE | {"within": "90d"}, 2),
            ],
        ),
        ("openvpn_issued_certificates_next_expiry_timestamp_seconds", [(FILE, NOON + 20 * DAY)]),
        (
            EXPIRY,  # erin's ended 40 days ago
            [
                ({"common_name": "dave"}, NOON - 20 * DAY),
                ({"common_name": "bob"}, NOON + 20 * DAY),
                ({"common_name": "carol"}, NOON + 80 * DAY),
            ],
        ),
        (
            "openvpn_server_clients_by_certificate",
            [
                ({"state": "valid"}, 0),
                ({"state": "expired"}, 0),
                ({"state": "revoked"}, 1),
                ({"state": "unknown"}, 0),
            ],
        ),
        (INVALID, [({"common_name": "alice", "state": "revoked"}, 1)]),
    ],
)
def test_list_and_clients_have_their_values(name: str, expected: Samples) -> None:
    assert samples(server(), name) == expected


def test_list_stays_while_the_daemon_is_down_and_its_clients_do_not() -> None:
    daemon = server()
    take_down(daemon)
    assert len(samples(daemon, "openvpn_issued_certificates")) == 3
    assert len(samples(daemon, EXPIRY)) == 3
    assert samples(daemon, "openvpn_server_clients_by_certificate") == []
    assert samples(daemon, INVALID) == []


def test_nothing_is_shown_without_a_list_or_of_a_tunnel() -> None:
    without = new_daemon()
    poll(without, server_status())
    uplink = tunnel()
    uplink.set_pki(PKI)
    poll(uplink, TUNNEL, now=NOON + 15)
    for daemon in (without, uplink):
        for name in ("openvpn_issued_certificates", EXPIRY, INVALID, BY_STATE):
            assert samples(daemon, name) == []


def test_series_of_names_are_off_by_default_and_limited() -> None:
    daemon = server()
    target = daemon.target
    assert target.pki is not None
    daemon.reconfigure(msgspec.structs.replace(target, clients=ClientsConfig(limit=2)))
    assert [labels["common_name"] for labels, _ in samples(daemon, EXPIRY)] == ["dave", "bob"]
    pki = msgspec.structs.replace(target.pki, series=False)
    daemon.reconfigure(msgspec.structs.replace(target, pki=pki))
    assert samples(daemon, EXPIRY) == []


def with_privacy(mode: PrivacyMode) -> DaemonState:
    daemon = server()
    key = PrivacyKey(Path("privacy.key"), b"0123456789abcdef")
    config = ClientsConfig(privacy=mode, privacy_key_file=key)
    daemon.reconfigure(msgspec.structs.replace(daemon.target, clients=config))
    return daemon


def test_names_are_under_privacy() -> None:
    hidden = with_privacy(PrivacyMode.NONE)
    assert samples(hidden, EXPIRY) == samples(hidden, INVALID) == []
    assert len(samples(hidden, "openvpn_server_clients_by_certificate")) == 4
    pseudonyms = with_privacy(PrivacyMode.PSEUDONYM)
    shown = [labels["common_name"] for labels, _ in samples(pseudonyms, EXPIRY)]
    assert len(shown) == 3
    assert all(name.startswith("p-") for name in shown)


def test_clients_with_an_invalid_certificate_are_limited_revoked_ones_first() -> None:
    daemon = server(clients=())
    clients = [client(f"user-{number}", number) for number in range(150)]
    listed = [
        IssuedCertificate(f"user-{number}", number, NOON, revoked=number == 149)
        for number in range(150)
    ]
    daemon.set_pki(PkiState(PKI.source, NOON, IssuedCertificates(listed)))
    poll(daemon, server_status(clients), now=NOON + 1)
    found = samples(daemon, INVALID)
    assert len(found) == 100
    assert found[0] == ({"common_name": "user-149", "state": "revoked"}, 1)


def test_problem_of_the_list_is_shown_beside_those_of_files() -> None:
    daemon = server()

    def problem() -> list[str]:
        return [
            labels["reason"]
            for labels, value in samples(daemon, PROBLEM)
            if labels["directive"] == "pki" and value
        ]

    assert problem() == []
    daemon.set_pki(msgspec.structs.replace(PKI, problem=FileProblem.PERMISSION))
    assert problem() == ["permission"]


def test_text_of_names_is_kept_until_the_list_changes() -> None:
    daemon = server()
    before = daemon.client_certificates.names_revision
    daemon.set_pki(msgspec.structs.replace(PKI, now=NOON + 60))
    assert daemon.client_certificates.names_revision == before
    daemon.set_pki(msgspec.structs.replace(PKI, now=NOON + DAY))
    assert daemon.client_certificates.names_revision == before + 1
    daemon.set_pki(msgspec.structs.replace(PKI, now=NOON + DAY, issued=IssuedCertificates()))
    assert daemon.client_certificates.names_revision == before + 2
