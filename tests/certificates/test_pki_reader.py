import datetime
import logging
import os
from pathlib import Path

import pytest

from exporter.certificates import directory as pki_directory
from exporter.certificates import pki_reader
from exporter.certificates.issued import CertificateState, IssuedCertificates
from exporter.certificates.pki import PkiSource
from exporter.certificates.pki_reader import PkiReader
from exporter.certificates.source import CertificateDirective, CertificateSource, FileProblem
from exporter.files import read_regular
from tests.certificates.fixtures import SOON, Issuer, certificate
from tests.certificates.test_index import ALICE

NOW = 1_800_000_000
BOB = ALICE.replace(b"alice", b"bob").replace(b"DCF2", b"DCF3")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "index.txt"
    path.write_bytes(ALICE + b"\n")
    return path


def names(issued: IssuedCertificates | None) -> set[str]:
    assert issued is not None
    return set(issued.valid_names(NOW))


def test_index_is_read_again_only_after_a_change(index: Path) -> None:
    reader = PkiReader(PkiSource(index))
    first, problem = reader.read()
    assert problem is None
    assert names(first) == {"alice"}
    assert reader.read()[0] is first
    index.write_bytes(ALICE + b"\n" + BOB + b"\n")
    assert names(reader.read()[0]) == {"alice", "bob"}


def test_empty_index_is_that_of_a_new_ca(index: Path) -> None:
    index.write_bytes(b"")
    issued, problem = PkiReader(PkiSource(index)).read()
    assert issued is not None
    assert (len(issued), problem) == (0, None)


def test_missing_index_keeps_what_was_read(index: Path) -> None:
    reader = PkiReader(PkiSource(index))
    first, _ = reader.read()
    content = index.read_bytes()
    index.unlink()
    assert reader.read() == (first, FileProblem.MISSING)
    index.write_bytes(content)
    issued, problem = reader.read()
    assert (names(issued), problem) == ({"alice"}, None)


def test_index_that_was_moved_away_and_back_is_no_problem(index: Path) -> None:
    reader = PkiReader(PkiSource(index))
    reader.read()
    index.rename(index.with_suffix(".old"))
    assert reader.read()[1] is FileProblem.MISSING
    index.with_suffix(".old").rename(index)
    assert reader.read()[1] is None


def test_index_is_read_once_permission_is_granted(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    reader = PkiReader(PkiSource(index))
    with monkeypatch.context() as patch:
        patch.setattr(pki_reader, "read_regular", denied)
        assert reader.read() == (None, FileProblem.PERMISSION)
    assert names(reader.read()[0]) == {"alice"}


def test_damaged_lines_are_a_problem_and_the_others_are_read(
    index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index.write_bytes(ALICE + b"\nV\t\n" + BOB + b"\nV\t\n")
    reader = PkiReader(PkiSource(index))
    with caplog.at_level(logging.WARNING):
        issued, problem = reader.read()
        assert reader.read() == (issued, problem)
    assert (names(issued), problem) == ({"alice", "bob"}, FileProblem.INVALID)
    (record,) = caplog.records
    assert "line 2: 2 fields instead of 6, and 1 more errors" in str(vars(record))


def test_what_is_no_index_is_invalid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.write_bytes(ALICE)
    monkeypatch.setattr(pki_reader, "MAX_BYTES", len(ALICE) - 1)
    for path in (pipe, large):
        assert PkiReader(PkiSource(path)).read() == (None, FileProblem.INVALID)
    assert PkiReader(PkiSource(tmp_path)).read() == (None, FileProblem.UNREADABLE)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer("Office CA")


@pytest.fixture
def directory(tmp_path: Path, issuer: Issuer) -> Path:
    path = tmp_path / "issued"
    path.mkdir()
    (path / "alice.crt").write_bytes(b"Certificate:\n  Data: \xff\n" + issuer.issue("alice", 1))
    (path / "bob.pem").write_bytes(issuer.issue("bob", 2))
    (path / "ca.crt").write_bytes(issuer.certificate)
    (path / "office.crt").write_bytes(issuer.issue("office", 3, server=True))
    (path / "bob.key").write_bytes(b"-----BEGIN PRIVATE KEY-----")
    (path / "key.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----")
    return path


def source(directory: Path, *crls: Path) -> PkiSource:
    listed = tuple(CertificateSource(CertificateDirective.CRL, path) for path in crls)
    return PkiSource(directory, is_directory=True, crls=listed)


def test_directory_has_client_certificates_and_no_others(directory: Path) -> None:
    issued, problem = PkiReader(source(directory)).read()
    assert issued is not None
    assert problem is None
    assert list(issued.name_expiries(0)) == [
        ("alice", int(SOON.timestamp())),
        ("bob", int(SOON.timestamp())),
    ]
    assert len(issued) == 2


def test_crl_revokes_certificates_of_its_issuer(directory: Path, issuer: Issuer) -> None:
    crl = directory.parent / "crl.pem"
    crl.write_bytes(Issuer("Other CA").crl(1) + issuer.crl(2))
    reader = PkiReader(source(directory, crl))
    issued, _ = reader.read()
    assert issued is not None
    assert issued.state("alice", 1, NOW) is CertificateState.VALID
    assert issued.state("bob", 2, NOW) is CertificateState.REVOKED
    crl.write_bytes(issuer.crl(1, 2))
    issued, problem = reader.read()
    assert (names(issued), problem) == (set(), None)


def test_inline_crl_revokes(directory: Path, issuer: Issuer, tmp_path: Path) -> None:
    conf = tmp_path / "office.conf"
    conf.write_bytes(b"dev tun\n<crl-verify>\n" + issuer.crl(2) + b"</crl-verify>\n")
    inline = CertificateSource(CertificateDirective.CRL, conf, inline=True)
    listed = PkiSource(directory, is_directory=True, crls=(inline,))
    assert names(PkiReader(listed).read()[0]) == {"alice"}


def test_directory_is_read_again_after_a_change(directory: Path, issuer: Issuer) -> None:
    reader = PkiReader(source(directory))
    first, _ = reader.read()
    assert reader.read()[0] is first
    (directory / "carol.cer").write_bytes(issuer.issue("carol", 7))
    (directory / "bob.pem").unlink()
    assert names(reader.read()[0]) == {"alice", "carol"}


def test_damaged_file_or_crl_is_a_problem_and_the_others_are_read(
    directory: Path, issuer: Issuer
) -> None:
    (directory / "bad.crt").write_bytes(certificate("bad").replace(b"MII", b"AAA"))
    reader = PkiReader(source(directory))
    issued, problem = reader.read()
    assert (names(issued), problem) == ({"alice", "bob"}, FileProblem.INVALID)
    (directory / "bad.crt").unlink()
    assert reader.read()[1] is None
    missing = PkiReader(source(directory, directory / "none.pem")).read()
    assert (names(missing[0]), missing[1]) == ({"alice", "bob"}, FileProblem.MISSING)
    empty = directory.parent / "crl.pem"
    empty.write_bytes(b"")
    assert PkiReader(source(directory, empty)).read()[1] is FileProblem.INVALID


def test_file_of_a_directory_is_read_once_permission_is_granted(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = read_regular

    def denied(path: Path, limit: int) -> bytes:
        if path.name == "bob.pem":
            raise PermissionError(13, "Permission denied")
        return read(path, limit)

    reader = PkiReader(source(directory))
    with monkeypatch.context() as patch:
        patch.setattr(pki_directory, "read_regular", denied)
        issued, problem = reader.read()
        assert (names(issued), problem) == ({"alice"}, FileProblem.PERMISSION)
    issued, problem = reader.read()
    assert (names(issued), problem) == ({"alice", "bob"}, None)


def test_directory_with_too_many_files_is_invalid(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.certificates.directory.MAX_FILES", 5)
    assert PkiReader(source(directory)).read() == (None, FileProblem.INVALID)
    missing = PkiReader(source(directory / "none")).read()
    assert missing == (None, FileProblem.MISSING)


def test_expiry_in_the_past_is_read(directory: Path, issuer: Issuer) -> None:
    until = datetime.datetime(2025, 4, 1, tzinfo=datetime.UTC)
    (directory / "old.crt").write_bytes(issuer.issue("old", 9, until=until))
    issued, _ = PkiReader(source(directory)).read()
    assert issued is not None
    assert issued.counts(NOW)[CertificateState.EXPIRED] == 1
