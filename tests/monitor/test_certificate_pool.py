"""The certificate files of all daemons, each read once."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from exporter.aio import run_in_daemon_thread
from exporter.certificates import files as certificate_files
from exporter.certificates.source import (
    Certificate,
    CertificateFileState,
    CertificateSource,
    Entry,
    FileProblem,
)
from exporter.config import DaemonConfig
from exporter.config.target import Target
from exporter.management.endpoint import TcpEndpoint
from exporter.monitor import certificate_pool
from exporter.monitor.certificate_pool import CertificatePool
from exporter.state.daemon import DaemonState
from tests.certificates.fixtures import certificate
from tests.fake_daemon import TEST_TIMEOUT
from tests.log_capture import LogCapture

ENTRIES = certificate_files._entries


@pytest.fixture(autouse=True)
def _no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_pool, "START_SPREAD", 0.0)


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return written(tmp_path / "ca.crt", "office-ca")


@contextlib.asynccontextmanager
async def watching(*daemons: DaemonState) -> AsyncIterator[CertificatePool]:
    pool = CertificatePool()
    await pool.apply(daemons)
    try:
        yield pool
    finally:
        await pool.close()


def written(path: Path, name: str) -> Path:
    """Replace a file by one with a certificate of this name."""
    new = path.with_suffix(".new")
    new.write_bytes(certificate(name))
    return new.replace(path)


def target(name: str, *, cert: Path | None = None, ca: Path | None = None) -> Target:
    management = TcpEndpoint("127.0.0.1", 7505)
    return Target(DaemonConfig(name=name, management=management, cert=cert, ca=ca))


def daemon(name: str, *, cert: Path | None = None, ca: Path | None = None) -> DaemonState:
    return DaemonState(target(name, cert=cert, ca=ca))


def subjects(daemon: DaemonState) -> list[str]:
    entries = [entry for state in daemon.certificates for entry in state.entries]
    return [entry.subject for entry in entries if isinstance(entry, Certificate)]


def counted_reads(monkeypatch: pytest.MonkeyPatch) -> Sequence[Path]:
    """Return the files that are read from now on, in order."""
    read: list[Path] = []

    def counting(source: CertificateSource) -> Sequence[Entry]:
        read.append(source.path)
        return ENTRIES(source)

    monkeypatch.setattr(certificate_files, "_entries", counting)
    return read


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TEST_TIMEOUT):
        while not condition():  # noqa: ASYNC110 -- no event is set
            await asyncio.sleep(0)


async def test_a_file_is_read_once_for_all_daemons(
    tmp_path: Path, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = counted_reads(monkeypatch)
    certs = [written(tmp_path / f"{name}.crt", name) for name in ("a", "b")]
    daemons = [daemon(cert.stem, cert=cert, ca=ca) for cert in certs]
    async with watching(*daemons, daemon("uplink")):
        await until(lambda: all(each.certificates for each in daemons))
    assert [subjects(each) for each in daemons] == [["a", "office-ca"], ["b", "office-ca"]]
    assert sorted(read) == [certs[0], certs[1], ca]
    first, second = (each.certificates[1] for each in daemons)
    assert first is second


async def test_a_reload_reads_and_reports_only_files_that_are_new(
    tmp_path: Path, ca: Path, monkeypatch: pytest.MonkeyPatch, log: LogCapture
) -> None:
    read = counted_reads(monkeypatch)
    missing = tmp_path / "missing.crt"
    office = daemon("office", ca=ca, cert=missing)
    async with watching(office) as pool:
        await until(lambda: subjects(office) == ["office-ca"])
        lab = daemon("lab", cert=written(tmp_path / "lab.crt", "lab"))
        await pool.apply([office, lab])
        await until(lambda: subjects(lab) == ["lab"])
    assert [path for path in read if path != missing] == [ca, tmp_path / "lab.crt"]
    assert log.messages.count("cannot use certificate file") == 1


async def test_only_daemons_whose_files_have_changed_are_updated(
    tmp_path: Path, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate_pool, "INTERVAL", 0.0)
    cert = written(tmp_path / "office.crt", "office")
    office, lab = daemon("office", cert=cert), daemon("lab", ca=ca)
    async with watching(office, lab):
        await until(lambda: bool(office.certificates and lab.certificates))
        revision = lab.revision
        written(cert, "renewed")
        await until(lambda: subjects(office) == ["renewed"])
    assert lab.revision == revision


async def test_a_reload_shows_what_is_known_and_drops_the_rest(tmp_path: Path, ca: Path) -> None:
    office = daemon("office", cert=written(tmp_path / "office.crt", "office"), ca=ca)
    async with watching(office) as pool:
        await until(lambda: subjects(office) == ["office", "office-ca"])
        office.reconfigure(target("office", ca=ca))
        added = daemon("lab", ca=ca)
        await pool.apply([office, added])
        assert subjects(office) == subjects(added) == ["office-ca"]
        office.reconfigure(target("office"))
        await pool.apply([office])
        assert office.certificates == ()
        assert not [task for task in asyncio.all_tasks() if "certificates" in task.get_name()]


async def test_a_directory_that_hangs_delays_only_its_own_files(
    tmp_path: Path, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, hanging = threading.Event(), tmp_path / "hanging"
    hanging.mkdir()

    def read_unless_hanging(source: CertificateSource) -> Sequence[Entry]:
        if source.path.parent == hanging:
            assert released.wait(TEST_TIMEOUT)
        return ENTRIES(source)

    monkeypatch.setattr(certificate_files, "_entries", read_unless_hanging)
    office = daemon("office", cert=written(hanging / "office.crt", "office"), ca=ca)
    async with watching(office):
        await until(lambda: subjects(office) == ["office-ca"])
        released.set()
        await until(lambda: subjects(office) == ["office", "office-ca"])


async def test_watching_continues_after_a_shortage_of_threads(
    ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortage = [OSError("no thread is left")]

    async def scarce(
        work: Callable[[], tuple[CertificateFileState, ...]],
    ) -> tuple[CertificateFileState, ...]:
        if shortage:
            raise shortage.pop()
        return await run_in_daemon_thread(work)

    monkeypatch.setattr(certificate_pool, "run_in_daemon_thread", scarce)
    monkeypatch.setattr(certificate_pool, "INTERVAL", 0.0)
    office = daemon("office", ca=ca)
    async with watching(office):
        await until(lambda: subjects(office) == ["office-ca"])
    assert not shortage


async def test_a_pool_that_is_closed_during_a_reload_watches_nothing(ca: Path) -> None:
    pool = CertificatePool()
    applying = asyncio.create_task(pool.apply([daemon("office", ca=ca)]))
    await asyncio.sleep(0)
    await pool.close()
    await applying
    assert not [task for task in asyncio.all_tasks() if "certificates" in task.get_name()]


async def test_a_file_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    office = daemon("office", ca=tmp_path / "none.crt")
    async with watching(office):
        await until(lambda: bool(office.certificates))
    assert [state.problem for state in office.certificates] == [FileProblem.MISSING]
