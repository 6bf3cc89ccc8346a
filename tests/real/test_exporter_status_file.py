"""The status file of a real daemon: alone, and while another client holds the slot."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from msgspec import structs

from exporter.config import DaemonConfig
from tests.real.client import client
from tests.real.lab import Lab
from tests.real.raw_session import connect
from tests.real.scraping import Page, daemon_config, scraping
from tests.real.server import server


def status_options(path: Path, version: int = 3) -> tuple[str, ...]:
    return ("--status", str(path), "1", "--status-version", str(version))


def shows_alice(page: Page) -> bool:
    return page.is_up() and page.value("openvpn_server_connected_clients") == 1


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_daemon_is_monitored_by_its_status_file_alone(
    lab: Lab, tmp_path: Path, version: int
) -> None:
    path = tmp_path / "status.log"
    file_alone = DaemonConfig(name="office", status_file=path, status_max_age=3.0)
    async with (
        server(lab, *status_options(path, version)) as office,
        scraping(file_alone) as scraper,
    ):
        await scraper.wait_for(Page.is_up)
        async with client(office, "alice"):
            page = await scraper.wait_for(shows_alice)
        received = page.value("openvpn_server_client_received_bytes_total", common_name="alice")
        assert received > 0
        assert page.value("openvpn_received_bytes_total") >= received
        assert "openvpn_management_up" not in page.names()
        await office.daemon.kill()
        page = await scraper.wait_for(lambda page: not page.is_up())
    assert page.down_reason() == "stale"


async def test_existing_status_file_keeps_its_mode(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "status.log"
    path.touch(mode=0o640)
    file_alone = DaemonConfig(name="office", status_file=path)
    async with server(lab, *status_options(path)), scraping(file_alone) as scraper:
        await scraper.wait_for(Page.is_up)
    assert path.stat().st_mode & 0o777 == 0o640


async def test_status_file_is_used_while_the_slot_is_occupied(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "status.log"
    async with server(lab, *status_options(path)) as office, client(office, "alice"):
        both = structs.replace(daemon_config(office.management, timeout=0.5), status_file=path)
        async with AsyncExitStack() as other_client:
            await other_client.enter_async_context(connect(office.management.address))
            async with scraping(both) as scraper:
                page = await scraper.wait_for(
                    lambda page: page.down_reason() == "busy" and shows_alice(page)
                )
                assert page.value("openvpn_management_up") == 0
                await other_client.aclose()
                page = await scraper.wait_for(lambda page: page.value("openvpn_management_up") == 1)
                (info,) = page.labels("openvpn_info")
                assert info["source"] == "management"
