"""A real Prometheus scrapes the exporter of a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import yaml
from aiohttp import ClientConnectionError, ClientSession

from tests.real.client import client
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.program import program
from tests.real.scraping import scraping, watched
from tests.real.server import server
from tests.real.waiting import eventually

DEADLINE = 30.0


class Prometheus:
    """A Prometheus that can be asked for what it knows now."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def query(self, expression: str) -> list[float]:
        """Give the values that an expression has now; none while it is still starting."""
        asked = {"query": expression}
        try:
            async with self._session.get(f"{self._url}/api/v1/query", params=asked) as answer:
                if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    return []
                found = await answer.json()
        except ClientConnectionError:
            return []
        return [float(sample["value"][1]) for sample in found["data"]["result"]]

    async def until(self, expression: str) -> list[float]:
        """Ask until there is an answer."""

        async def look() -> list[float] | None:
            return await self.query(expression) or None

        return await eventually(look, deadline=DEADLINE)


@asynccontextmanager
async def prometheus(lab: Lab, target: str, directory: Path) -> AsyncIterator[Prometheus]:
    """Run one that scrapes the target each second."""
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "openvpn", "static_configs": [{"targets": [target]}]}],
    }
    file = directory / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    address = f"{LOOPBACK}:{lab.port()}"
    options = [
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}",
    ]
    async with (
        program("prometheus", *options, log=directory / "prometheus.log"),
        ClientSession() as session,
    ):
        yield Prometheus(session, f"http://{address}")


async def test_prometheus_scrapes_what_the_exporter_serves(lab: Lab, tmp_path: Path) -> None:
    async with (
        server(lab) as office,
        client(office, "alice"),
        client(office, "bob"),
        scraping(watched(office.management)) as scraper,
    ):
        page = await scraper.up()
        target = scraper.url.removeprefix("http://")
        async with prometheus(lab, target, tmp_path) as asked:
            clients = await asked.until("openvpn_server_connected_clients")
            up = await asked.query('up{job="openvpn"}')
            samples = await asked.query("scrape_samples_scraped")
            received = await asked.query(
                'openvpn_server_client_received_bytes_total{common_name="alice"}'
            )
            infos = await asked.query("openvpn_server_client_info")

    assert clients == [2]
    assert up == [1]
    assert samples == [len(page.series)]
    assert received[0] >= page.value(
        "openvpn_server_client_received_bytes_total", common_name="alice"
    )
    assert infos == [1, 1]
