import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.certificates import watch
from exporter.certificates.source import (
    Certificate,
    CertificateFileState,
    CertificateSource,
    Directive,
    FileProblem,
)
from exporter.certificates.watch import CertificateFiles, watch_files
from tests.certificates.fixtures import certificate


@pytest.fixture
def source(tmp_path: Path) -> CertificateSource:
    path = tmp_path / "office.crt"
    path.write_bytes(certificate("office"))
    return CertificateSource(Directive.CERT, path)


def subjects(reading: CertificateFileState) -> list[str]:
    return [entry.subject for entry in reading.entries if isinstance(entry, Certificate)]


def test_a_file_is_read(source: CertificateSource) -> None:
    (reading,) = CertificateFiles([source]).read_all()
    assert subjects(reading) == ["office"]
    assert reading.problem is None


def test_an_inline_block_is_read(tmp_path: Path) -> None:
    path = tmp_path / "office.conf"
    path.write_bytes(b"dev tun\n<ca>\n" + certificate("office-ca") + b"</ca>\n")
    (reading,) = CertificateFiles([CertificateSource(Directive.CA, path, inline=True)]).read_all()
    assert subjects(reading) == ["office-ca"]


def test_a_file_is_read_again_when_it_changed_and_only_then(
    source: CertificateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    entries = watch._entries

    def counting(source: CertificateSource) -> tuple[object, ...]:
        nonlocal reads
        reads += 1
        return entries(source)

    monkeypatch.setattr(watch, "_entries", counting)
    looker = CertificateFiles([source])
    first = looker.read_all()
    assert looker.read_all() == first
    assert reads == 1
    source.path.write_bytes(certificate("renewed"))
    (reading,) = looker.read_all()
    assert subjects(reading) == ["renewed"]
    assert reads == 2


def test_a_file_of_equal_size_that_took_the_place_is_read(
    source: CertificateSource, tmp_path: Path
) -> None:
    looker = CertificateFiles([source])
    looker.read_all()
    before = source.path.stat()
    other = tmp_path / "new"
    renewed = certificate("renewe")
    other.write_bytes(renewed.ljust(before.st_size, b"\n")[: max(before.st_size, len(renewed))])
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(source.path)
    (reading,) = looker.read_all()
    assert subjects(reading) == ["renewe"]


def test_each_problem_is_told_apart(source: CertificateSource, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_text("ssh-ed25519 AAAA")
    sources = [
        source,
        CertificateSource(Directive.CERT, tmp_path / "none.crt"),
        CertificateSource(Directive.CERT, source.path / "below-a-file"),
        CertificateSource(Directive.CERT, tmp_path),
        CertificateSource(Directive.CA, garbage),
    ]
    assert [reading.problem for reading in CertificateFiles(sources).read_all()] == [
        None,
        FileProblem.MISSING,
        FileProblem.MISSING,
        FileProblem.UNREADABLE,
        FileProblem.INVALID,
    ]


def test_a_file_without_permission_is_told_and_read_once_it_is_granted(
    source: CertificateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = watch._entries

    def denied(source: CertificateSource) -> tuple[object, ...]:
        raise PermissionError(13, "Permission denied")

    looker = CertificateFiles([source])
    monkeypatch.setattr(watch, "_entries", denied)
    assert looker.read_all() == (CertificateFileState(source, problem=FileProblem.PERMISSION),)
    monkeypatch.setattr(watch, "_entries", entries)
    (reading,) = looker.read_all()
    assert subjects(reading) == ["office"]


def test_a_file_that_is_too_large_is_garbage(
    source: CertificateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LIMIT", source.path.stat().st_size - 1)
    assert CertificateFiles([source]).read_all() == (
        CertificateFileState(source, problem=FileProblem.INVALID),
    )


def test_a_pipe_in_the_files_place_is_garbage_and_keeps_nobody(tmp_path: Path) -> None:
    pipe = tmp_path / "office.crt"
    os.mkfifo(pipe)
    (reading,) = CertificateFiles([CertificateSource(Directive.CERT, pipe)]).read_all()
    assert reading.problem is FileProblem.INVALID


def test_a_file_that_went_bad_keeps_no_old_entries(source: CertificateSource) -> None:
    looker = CertificateFiles([source])
    looker.read_all()
    source.path.write_bytes(b"")
    assert looker.read_all() == (CertificateFileState(source, problem=FileProblem.INVALID),)


def test_a_file_that_was_moved_away_and_back_is_read(
    source: CertificateSource, tmp_path: Path
) -> None:
    looker = CertificateFiles([source])
    before = looker.read_all()
    aside = source.path.rename(tmp_path / "aside")
    assert looker.read_all() == (CertificateFileState(source, problem=FileProblem.MISSING),)
    aside.rename(source.path)
    assert looker.read_all() == before


def test_a_problem_is_logged_once_until_another_comes(
    source: CertificateSource, caplog: pytest.LogCaptureFixture
) -> None:
    looker = CertificateFiles([source])
    with caplog.at_level(logging.WARNING):
        source.path.unlink()
        looker.read_all()
        looker.read_all()
        assert len(caplog.records) == 1
        source.path.write_bytes(b"")
        looker.read_all()
    assert len(caplog.records) == 2


async def test_changes_are_handed_on_and_nothing_else(
    source: CertificateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "INTERVAL", 0.0)
    taken: asyncio.Queue[tuple[CertificateFileState, ...]] = asyncio.Queue()
    task = asyncio.create_task(watch_files([source], taken.put_nowait))
    try:
        (first,) = await taken.get()
        renewed = source.path.with_suffix(".new")
        renewed.write_bytes(certificate("renewed"))
        renewed.replace(source.path)
        (second,) = await taken.get()
    finally:
        task.cancel()
    assert [subjects(first), subjects(second)] == [["office"], ["renewed"]]
    assert taken.empty()


async def test_a_shortage_of_threads_passes(
    source: CertificateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortage = [OSError("no thread is left")]

    async def scarce(
        work: Callable[[], tuple[CertificateFileState, ...]],
    ) -> tuple[CertificateFileState, ...]:
        if shortage:
            raise shortage.pop()
        return work()

    monkeypatch.setattr(watch, "run_in_daemon_thread", scarce)
    monkeypatch.setattr(watch, "INTERVAL", 0.0)
    taken: asyncio.Queue[tuple[CertificateFileState, ...]] = asyncio.Queue()
    watching = asyncio.create_task(watch_files([source], taken.put_nowait))
    (reading,) = await taken.get()
    watching.cancel()
    assert subjects(reading) == ["office"]
