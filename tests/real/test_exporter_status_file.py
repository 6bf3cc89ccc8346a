"""The status file of a real daemon: alone, and while another client holds the slot."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import time

import pytest
from msgspec import structs

from exporter.config import DaemonConfig
from tests.real.at_once import Outcomes, run_at_once
from tests.real.client import client
from tests.real.clock import wait_for_next_second
from tests.real.daemon import KATHMANDU, ST_JOHNS
from tests.real.lab import Lab
from tests.real.raw_session import connect
from tests.real.reading import Row, read
from tests.real.recording_proxy import recording_proxy
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import Server, server

QUARTER = 900
VERSIONS = (1, 2, 3)


def status_options(path: Path, version: int = 3) -> tuple[str, ...]:
    return ("--status", str(path), "1", "--status-version", str(version))


def shows_alice(page: Page) -> bool:
    return page.is_up() and page.value("openvpn_server_connected_clients") == 1


@pytest.fixture(scope="module")
def monitored_alone(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Outcomes[Page]:
    """The page after the end of the daemon, for each version of the status file."""

    async def monitor(version: int) -> Page:
        path = tmp_path_factory.mktemp("alone") / "status.log"
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
            return await scraper.wait_for(lambda page: not page.is_up())

    return run_at_once(monitor, VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_daemon_is_monitored_by_its_status_file_alone(
    monitored_alone: Outcomes[Page], version: int
) -> None:
    assert monitored_alone.of(version).down_reason() == "stale"


@pytest.mark.parametrize("zone", [KATHMANDU, ST_JOHNS])
async def test_times_of_format_1_are_read_in_the_zone_of_the_daemon(
    lab: Lab, tmp_path: Path, zone: str
) -> None:
    path = tmp_path / "status.log"
    file_alone = DaemonConfig(name="office", status_file=path)
    async with (
        server(lab, *status_options(path, version=1), zone=zone) as office,
        client(office, "alice"),
        scraping(file_alone) as scraper,
    ):
        page = await scraper.wait_for(shows_alice)
        [row] = (await read(office.management)).rows
    assert page.value("openvpn_server_client_connected_timestamp_seconds") == row.since
    assert 0 <= page.value("openvpn_status_update_time_seconds") - row.since < QUARTER


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


@pytest.mark.parametrize("restart", [False, True])
async def test_a_status_file_and_the_session_after_it_count_everything_once(
    lab: Lab,
    tmp_path: Path,
    restart: bool,  # noqa: FBT001 -- two cases
) -> None:
    path = tmp_path / "status.log"
    options = (*status_options(path), "--keepalive", "60", "240")
    async with AsyncExitStack() as exporter, AsyncExitStack() as daemon:
        office = await daemon.enter_async_context(server(lab, *options))
        proxy = await exporter.enter_async_context(recording_proxy(lab, office.management))
        both = structs.replace(daemon_config(proxy.management), status_file=path)
        scraper = await exporter.enter_async_context(scraping(both))
        await scraper.wait_up()
        proxy.refuse()
        await scraper.wait_for(by_status_file)
        if restart:
            await daemon.aclose()
            await daemon.enter_async_context(restarted(office, *options))
        async with client(office, "alice"):
            await scraper.wait_for(lambda page: by_status_file(page) and shows_alice(page))
            proxy.accept()
            await scraper.wait_for(lambda page: page.value("openvpn_management_up") == 1)
            await scraper.wait_polled()
            page = await scraper.wait_polled()
            await exporter.aclose()
            [row] = (await read(office.management)).rows

    assert decreased(scraper.pages) == []
    assert page.value("openvpn_restarts_total") == restart
    check_one_session(page, row)


@asynccontextmanager
async def restarted(office: Server, *options: str) -> AsyncIterator[None]:
    """Run another process in the place of a server."""
    await wait_for_next_second(time())
    same_port = ("--port", str(office.port), *options)
    async with server(office.lab, *same_port, management=office.management):
        yield


def check_one_session(page: Page, row: Row) -> None:
    received = page.value("openvpn_server_client_received_bytes_total", common_name="alice")
    assert 0.9 * row.received < received <= row.received
    assert page.value("openvpn_server_client_connects_total") == 1
    assert page.value("openvpn_server_client_disconnects_total") == 0


def by_status_file(page: Page) -> bool:
    return page.is_up() and page.value("openvpn_management_up") == 0
