import asyncio
from pathlib import Path

import pytest

from exporter.certificates.pki import PkiSource, PkiState
from exporter.certificates.pki_reader import PkiReader
from exporter.config import DaemonConfig
from exporter.config.pki import PkiConfig
from exporter.config.target import Target
from exporter.management.endpoint import parse_endpoint
from exporter.monitor.pki_pool import PkiPool
from exporter.state.daemon import DaemonState
from tests.certificates.test_index import ALICE


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "index.txt"
    path.write_bytes(ALICE + b"\n")
    return path


def target(name: str, index: Path | None) -> Target:
    daemon = DaemonConfig(name=name, management=parse_endpoint("127.0.0.1:7505"))
    return Target(daemon, pki=PkiConfig(index=index) if index else None)


def names(daemon: DaemonState) -> list[str]:
    pki = daemon.client_certificates.pki
    assert pki is not None
    return list(pki.issued.valid_names(0)) if pki.issued else []


async def test_list_is_read_once_for_all_daemons_and_again_after_a_change(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = []
    create = PkiReader.__init__

    def counting(reader: PkiReader, source: PkiSource) -> None:
        created.append(source)
        create(reader, source)

    monkeypatch.setattr(PkiReader, "__init__", counting)
    checked: asyncio.Queue[PkiState] = asyncio.Queue()
    pool = PkiPool(checked.put_nowait)
    daemons = [DaemonState(target(name, index)) for name in ("office", "lab")]
    other = DaemonState(target("uplink", None))
    await pool.apply([*daemons, other])
    state = await checked.get()
    assert [names(daemon) for daemon in daemons] == [["alice"], ["alice"]]
    assert pool.states == [state]
    assert other.client_certificates.pki is None
    assert len(created) == 1
    await pool.close()


async def test_daemon_of_a_reload_gets_what_is_known_at_once(index: Path) -> None:
    checked: asyncio.Queue[PkiState] = asyncio.Queue()
    pool = PkiPool(checked.put_nowait)
    await pool.apply([DaemonState(target("office", index))])
    await checked.get()
    added = DaemonState(target("lab", index))
    await pool.apply([added])
    assert names(added) == ["alice"]
    await pool.close()


async def test_list_that_is_no_longer_configured_is_dropped(index: Path) -> None:
    checked: asyncio.Queue[PkiState] = asyncio.Queue()
    pool = PkiPool(checked.put_nowait)
    office = DaemonState(target("office", index))
    await pool.apply([office])
    await checked.get()
    office.reconfigure(target("office", None))
    await pool.apply([office])
    assert office.client_certificates.pki is None
    assert pool.states == []
    assert not [task for task in asyncio.all_tasks() if "issued" in task.get_name()]
    await pool.close()


async def test_daemon_whose_settings_change_keeps_what_is_known(index: Path) -> None:
    checked: asyncio.Queue[PkiState] = asyncio.Queue()
    pool = PkiPool(checked.put_nowait)
    office = DaemonState(target("office", index))
    await pool.apply([office])
    await checked.get()
    known = office.client_certificates
    office.reconfigure(target("office", index))
    assert office.client_certificates is known
    await pool.close()


async def test_check_makes_no_page_of_a_large_fleet_outdated(index: Path) -> None:
    """What is known is shown with the next poll: one check would else render all daemons."""
    checked: asyncio.Queue[PkiState] = asyncio.Queue()
    pool = PkiPool(checked.put_nowait)
    office = DaemonState(target("office", index))
    await pool.apply([office])
    revision = office.revision
    await checked.get()
    assert office.revision == revision
    assert names(office) == ["alice"]
    await pool.close()
