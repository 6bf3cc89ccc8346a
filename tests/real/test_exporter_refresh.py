"""Polls of a real server that a scrape triggers."""

from tests.real.client import client
from tests.real.lab import Lab
from tests.real.scraping import daemon_config, scraping
from tests.real.server import server

NEVER = 3600.0


async def test_scrape_shows_clients_that_connected_after_the_last_poll(lab: Lab) -> None:
    async with (
        server(lab) as office,
        scraping(
            daemon_config(office.management), poll_interval=NEVER, refresh_on_scrape=True
        ) as scraper,
    ):
        page = await scraper.wait_up()
        assert page.value("openvpn_server_connected_clients") == 0
        async with client(office, "alice"):
            page = await scraper.wait_for(
                lambda page: page.value("openvpn_server_connected_clients") == 1
            )
        assert page.value("openvpn_exporter_polls_total") >= 2
        assert page.value("openvpn_exporter_connects_total") == 1
