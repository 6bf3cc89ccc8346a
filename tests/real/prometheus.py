"""A real Prometheus and its HTTP API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientConnectionError, ClientSession

from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.program import program
from tests.real.waiting import eventually

DEADLINE = 30.0
PAUSE = 0.05


class PrometheusError(Exception):
    """Prometheus returned an error."""


class Prometheus:
    """The HTTP API of a Prometheus."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def query(self, expression: str) -> list[float]:
        """Return the current values of an expression; none while Prometheus is starting."""
        parameters = {"query": expression}
        try:
            async with self._session.get(
                f"{self._url}/api/v1/query", params=parameters
            ) as response:
                if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    return []
                found = await response.json()
        except ClientConnectionError:
            return []
        return [float(sample["value"][1]) for sample in found["data"]["result"]]

    async def wait_for(self, expression: str, *, deadline: float = DEADLINE) -> list[float]:
        """Repeat the query until it returns values."""

        async def look() -> list[float] | None:
            return await self.query(expression) or None

        try:
            return await eventually(look, deadline=deadline, pause=PAUSE)
        except TimeoutError as error:
            error.add_note(f"Prometheus returned nothing for {expression}")
            raise

    async def request(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 -- JSON
        """Return the data of a response of the API, such as ``rules`` or ``query_range``.

        Raises:
            PrometheusError: The API returned an error.
        """
        async with self._session.get(f"{self._url}/api/v1/{path}", params=parameters) as response:
            found = await response.json()
        if found["status"] != "success":
            raise PrometheusError(f"{path} {parameters}: {found['error']}")
        return found["data"]


@asynccontextmanager
async def prometheus(
    lab: Lab, target: str, directory: Path, **jobs: Mapping[str, object]
) -> AsyncIterator[Prometheus]:
    """Run a Prometheus that scrapes the target each second.

    ``jobs`` are scrape configurations of the target by job name; the default is one job,
    ``openvpn``.
    """
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [target]}], **job}
            for name, job in (jobs or {"openvpn": {}}).items()
        ],
    }
    async with prometheus_with_config(lab, config, directory) as prom:
        yield prom


@asynccontextmanager
async def prometheus_with_config(
    lab: Lab, config: Mapping[str, object], directory: Path
) -> AsyncIterator[Prometheus]:
    """Run a Prometheus with this configuration; its paths are relative to ``directory``."""
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
