"""A real Prometheus, that can be asked for what it knows."""

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
    """A Prometheus has no answer."""


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

    async def wait_for(self, expression: str, *, deadline: float = DEADLINE) -> list[float]:
        """Ask until there is an answer."""

        async def look() -> list[float] | None:
            return await self.query(expression) or None

        try:
            return await eventually(look, deadline=deadline, pause=PAUSE)
        except TimeoutError as error:
            error.add_note(f"Prometheus had no answer to {expression}")
            raise

    async def ask(self, path: str, **asked: str) -> Any:  # noqa: ANN401 -- JSON
        """Give the data of an answer of the API, as in ``rules`` or ``query_range``.

        Raises:
            PrometheusError: It did not understand, or could not do it.
        """
        async with self._session.get(f"{self._url}/api/v1/{path}", params=asked) as answer:
            found = await answer.json()
        if found["status"] != "success":
            raise PrometheusError(f"{path} {asked}: {found['error']}")
        return found["data"]


@asynccontextmanager
async def prometheus(
    lab: Lab, target: str, directory: Path, **jobs: Mapping[str, object]
) -> AsyncIterator[Prometheus]:
    """Run one that scrapes the target each second.

    Each of ``jobs`` says by its name how the target is scraped, as in a scrape configuration;
    without any there is one, ``openvpn``.
    """
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [target]}], **job}
            for name, job in (jobs or {"openvpn": {}}).items()
        ],
    }
    async with prometheus_with_config(lab, config, directory) as asked:
        yield asked


@asynccontextmanager
async def prometheus_with_config(
    lab: Lab, config: Mapping[str, object], directory: Path
) -> AsyncIterator[Prometheus]:
    """Run one by a configuration of its own; relative names in it begin at ``directory``."""
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
