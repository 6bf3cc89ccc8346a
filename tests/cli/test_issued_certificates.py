import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from exporter.certificates.issued import IssuedCertificate, IssuedCertificates
from exporter.certificates.pki import PkiState
from exporter.certificates.source import FileProblem
from exporter.cli.issued_certificates import format_invalid, format_lists
from exporter.config.schema import PrivacyMode
from tests.metrics.daemons import NOON, PKI, poll, server, server_status
from tests.state.test_client_certificates import client
from tests.test_cli import run

INDEX = Path(__file__).parents[1] / "data" / "pki" / "easy-rsa-3.1.0.index.txt"


def test_lists_are_a_table_of_counts_and_the_next_expiry() -> None:
    unreadable = PkiState(PKI.source, NOON, None, FileProblem.PERMISSION)
    assert format_lists([PKI, unreadable]) == (
        "\n"
        "ISSUED CERTIFICATES          VALID  EXPIRED  REVOKED  NEXT EXPIRY          PROBLEM\n"
        "/etc/easy-rsa/pki/index.txt  2      2        1        2026-12-13, in 20 d  -\n"
        "/etc/easy-rsa/pki/index.txt  -      -        -        -                    permission\n"
    )
    assert format_lists([]) == ""


def invalid(*names: str, privacy: PrivacyMode = PrivacyMode.PLAIN) -> Sequence[str]:
    daemon = server(clients=())
    clients = [client(name, number) for number, name in enumerate(names)]
    revoked = (
        IssuedCertificate(name, number, NOON + 9, revoked=name != "old")
        for number, name in enumerate(names)
    )
    daemon.set_pki(PkiState(PKI.source, NOON + 99, IssuedCertificates(revoked)))
    poll(daemon, server_status(clients), now=NOON + 99)
    return list(format_invalid(daemon))


def test_clients_with_an_invalid_certificate_are_named() -> None:
    assert invalid("bob", "old", "alice") == [
        "office: 2 connected with a revoked certificate: alice, bob",
        "office: 1 connected with an expired certificate: old",
    ]
    (line,) = invalid(*(f"user-{number:02}" for number in range(13)))
    assert line.endswith("user-08, user-09, and 3 more")
    assert invalid() == []


def test_check_reads_the_lists(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        f"pki: {{index: {INDEX}}}\n"
        "daemons: [{name: a, management: '127.0.0.1:1'}, {name: b, management: '127.0.0.1:2'}]\n"
    )
    done = run("check", f"--config.file={file}")
    assert done.returncode == 0
    assert len(re.findall(rf"^{INDEX} +5 +1 +2 +2028-09-03, in", done.stdout, re.MULTILINE)) == 1


@pytest.mark.parametrize("flags", [(), ("--connect",)])
def test_unreadable_list_fails_the_check(tmp_path: Path, flags: Sequence[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("pki: {index: none}\ndaemons: [{name: a, management: '127.0.0.1:1'}]\n")
    done = run("check", f"--config.file={file}", *flags)
    assert done.returncode == 1
    assert re.search(r"none +- +- +- +- +missing\n", done.stdout)
