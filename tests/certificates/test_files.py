import logging
import os
from pathlib import Path

import pytest

from exporter.certificates import files as certificate_files
from exporter.certificates.files import CertificateFiles
from exporter.certificates.source import (
    Certificate,
    CertificateDirective,
    CertificateFileState,
    CertificateSource,
    FileProblem,
)
from tests.certificates.fixtures import certificate


@pytest.fixture
def source(tmp_path: Path) -> CertificateSource:
    path = tmp_path / "office.crt"
    path.write_bytes(certificate("office"))
    return CertificateSource(CertificateDirective.CERT, path)


def subjects(state: CertificateFileState) -> list[str]:
    return [entry.subject for entry in state.entries if isinstance(entry, Certificate)]


def test_file_is_read(source: CertificateSource) -> None:
    (state,) = CertificateFiles([source]).read_all()
    assert subjects(state) == ["office"]
    assert state.problem is None


def test_inline_block_is_read(tmp_path: Path) -> None:
    path = tmp_path / "office.conf"
    path.write_bytes(b"dev tun\n<ca>\n" + certificate("office-ca") + b"</ca>\n")
    (state,) = CertificateFiles(
        [CertificateSource(CertificateDirective.CA, path, inline=True)]
    ).read_all()
    assert subjects(state) == ["office-ca"]


def test_file_is_read_again_only_after_a_change(
    source: CertificateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    entries = certificate_files._entries

    def counting(source: CertificateSource) -> tuple[object, ...]:
        nonlocal reads
        reads += 1
        return entries(source)

    monkeypatch.setattr(certificate_files, "_entries", counting)
    files = CertificateFiles([source])
    first = files.read_all()
    assert files.read_all() == first
    assert reads == 1
    source.path.write_bytes(certificate("renewed"))
    (state,) = files.read_all()
    assert subjects(state) == ["renewed"]
    assert reads == 2


def test_replacement_of_equal_size_is_read(source: CertificateSource, tmp_path: Path) -> None:
    files = CertificateFiles([source])
    files.read_all()
    before = source.path.stat()
    other = tmp_path / "new"
    renewed = certificate("renewe")
    other.write_bytes(renewed.ljust(before.st_size, b"\n")[: max(before.st_size, len(renewed))])
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(source.path)
    (state,) = files.read_all()
    assert subjects(state) == ["renewe"]


def test_each_problem_has_its_reason(source: CertificateSource, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_text("ssh-ed25519 AAAA")
    sources = [
        source,
        CertificateSource(CertificateDirective.CERT, tmp_path / "none.crt"),
        CertificateSource(CertificateDirective.CERT, source.path / "below-a-file"),
        CertificateSource(CertificateDirective.CERT, tmp_path),
        CertificateSource(CertificateDirective.CA, garbage),
    ]
    assert [state.problem for state in CertificateFiles(sources).read_all()] == [
        None,
        FileProblem.MISSING,
        FileProblem.MISSING,
        FileProblem.UNREADABLE,
        FileProblem.INVALID,
    ]


def test_file_is_read_once_permission_is_granted(
    source: CertificateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = certificate_files._entries

    def denied(source: CertificateSource) -> tuple[object, ...]:
        raise PermissionError(13, "Permission denied")

    files = CertificateFiles([source])
    monkeypatch.setattr(certificate_files, "_entries", denied)
    assert files.read_all() == (CertificateFileState(source, problem=FileProblem.PERMISSION),)
    monkeypatch.setattr(certificate_files, "_entries", entries)
    (state,) = files.read_all()
    assert subjects(state) == ["office"]


def test_file_that_is_too_large_is_invalid(
    source: CertificateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate_files, "LIMIT", source.path.stat().st_size - 1)
    assert CertificateFiles([source]).read_all() == (
        CertificateFileState(source, problem=FileProblem.INVALID),
    )


def test_pipe_is_invalid_and_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "office.crt"
    os.mkfifo(pipe)
    (state,) = CertificateFiles([CertificateSource(CertificateDirective.CERT, pipe)]).read_all()
    assert state.problem is FileProblem.INVALID


def test_invalid_file_has_no_old_entries(source: CertificateSource) -> None:
    files = CertificateFiles([source])
    files.read_all()
    source.path.write_bytes(b"")
    assert files.read_all() == (CertificateFileState(source, problem=FileProblem.INVALID),)


def test_file_that_was_moved_away_and_back_is_read(
    source: CertificateSource, tmp_path: Path
) -> None:
    files = CertificateFiles([source])
    before = files.read_all()
    aside = source.path.rename(tmp_path / "aside")
    assert files.read_all() == (CertificateFileState(source, problem=FileProblem.MISSING),)
    aside.rename(source.path)
    assert files.read_all() == before


def test_problem_is_logged_once_until_it_changes(
    source: CertificateSource, caplog: pytest.LogCaptureFixture
) -> None:
    files = CertificateFiles([source])
    with caplog.at_level(logging.WARNING):
        source.path.unlink()
        files.read_all()
        files.read_all()
        assert len(caplog.records) == 1
        source.path.write_bytes(b"")
        files.read_all()
    assert len(caplog.records) == 2
