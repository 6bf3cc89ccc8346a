"""A real Prometheus scrapes the exporter of a real server."""

from pathlib import Path

from tests.real.client import client
from tests.real.lab import Lab
from tests.real.prometheus import prometheus
from tests.real.scraping import daemon_config, scraping
from tests.real.server import server


async def test_prometheus_scrapes_every_series_of_the_exporter(lab: Lab, tmp_path: Path) -> None:
    async with (
        server(lab) as office,
        client(office, "alice"),
        client(office, "bob"),
        scraping(daemon_config(office.management)) as scraper,
    ):
        page = await scraper.wait_up()
        target = scraper.url.removeprefix("http://")
        async with prometheus(lab, target, tmp_path) as prom:
            clients = await prom.wait_for("openvpn_server_connected_clients")
            up = await prom.query('up{job="openvpn"}')
            samples = await prom.query("scrape_samples_scraped")
            received = await prom.query(
                'openvpn_server_client_received_bytes_total{common_name="alice"}'
            )
            infos = await prom.query("openvpn_server_client_info")

    assert clients == [2]
    assert up == [1]
    assert samples == [len(page.series)]
    assert received[0] >= page.value(
        "openvpn_server_client_received_bytes_total", common_name="alice"
    )
    assert infos == [1, 1]
