"""A real Prometheus as a child process, and its HTTP API."""

import contextlib
import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import free_port

_TIMEOUT = 10.0
_PAUSE = 0.1


class Prometheus:
    """The HTTP API at a base URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def last_scrapes(self) -> Mapping[str, float]:
        """Return the time of the last scrape of each target, by its address."""
        targets = self._get("/api/v1/targets")["activeTargets"]
        return {
            target["labels"]["instance"]: _timestamp(target["lastScrape"]) for target in targets
        }

    def values(
        self, query: str, *, start: float, end: float, step: float
    ) -> Mapping[str, Sequence[float]]:
        """Evaluate a query at each step; return the values by target."""
        parameters = {"query": query, "start": start, "end": end, "step": step}
        matrix = self._get(f"/api/v1/query_range?{urllib.parse.urlencode(parameters)}")["result"]
        return {
            series["metric"]["instance"]: [float(value) for _, value in series["values"]]
            for series in matrix
        }

    def wait_until_ready(self) -> None:
        """Wait until the API answers."""
        until = time.monotonic() + _TIMEOUT
        while True:
            try:
                self._get("/api/v1/targets")
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def _get(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        with urllib.request.urlopen(f"{self._url}{path}") as answer:  # noqa: S310 -- a constant URL
            return json.load(answer)["data"]


def _timestamp(text: str) -> float:
    """Parse a time with nanoseconds."""
    return datetime.fromisoformat(text).timestamp()


@contextlib.contextmanager
def prometheus(targets: Sequence[str], *, interval: float) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes these addresses every `interval` seconds."""
    address = f"127.0.0.1:{free_port()}"
    with TemporaryDirectory() as directory:
        file = Path(directory) / "prometheus.json"  # JSON is valid YAML
        config = {
            "global": {"scrape_interval": f"{interval:g}s"},
            "scrape_configs": [
                {"job_name": "openvpn", "static_configs": [{"targets": list(targets)}]}
            ],
        }
        file.write_text(json.dumps(config), encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603 -- arguments are constants
            [  # noqa: S607 -- found in PATH
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={directory}/data",
                f"--web.listen-address={address}",
                "--log.level=error",
            ],
        )
        try:
            api = Prometheus(f"http://{address}")
            api.wait_until_ready()
            yield api
        finally:
            process.terminate()
            process.wait(_TIMEOUT)
