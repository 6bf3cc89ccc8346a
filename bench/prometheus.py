"""A real Prometheus as a child, and what it answers."""

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

_PATIENCE = 10.0
_PAUSE = 0.1


class Prometheus:
    """Answers queries at a base URL."""

    def __init__(self, url: str) -> None:
        """Ask at `url`."""
        self._url = url

    def last_scrapes(self) -> Mapping[str, float]:
        """Return when each target was last scraped, answered or not, by its address."""
        targets = self._get("/api/v1/targets")["activeTargets"]
        return {target["labels"]["instance"]: _seconds(target["lastScrape"]) for target in targets}

    def values(
        self, query: str, *, start: float, end: float, step: float
    ) -> Mapping[str, Sequence[float]]:
        """Evaluate a query at each step; return the values by target."""
        asked = {"query": query, "start": start, "end": end, "step": step}
        found = self._get(f"/api/v1/query_range?{urllib.parse.urlencode(asked)}")["result"]
        return {
            series["metric"]["instance"]: [float(value) for _, value in series["values"]]
            for series in found
        }

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + _PATIENCE
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
        with urllib.request.urlopen(f"{self._url}{path}") as answer:  # noqa: S310 -- our own child
            return json.load(answer)["data"]


def _seconds(written: str) -> float:
    """Read a time with nanoseconds, which no library of Python's own takes before 3.11."""
    return datetime.fromisoformat(written).timestamp()


@contextlib.contextmanager
def prometheus(targets: Sequence[str], *, interval: float) -> Iterator[Prometheus]:
    """Run one that scrapes these addresses, each at its own part of the interval in seconds."""
    address = f"127.0.0.1:{free_port()}"
    with TemporaryDirectory() as directory:
        file = Path(directory) / "prometheus.json"  # which is YAML, too
        config = {
            "global": {"scrape_interval": f"{interval:g}s"},
            "scrape_configs": [
                {"job_name": "openvpn", "static_configs": [{"targets": list(targets)}]}
            ],
        }
        file.write_text(json.dumps(config), encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603 -- our own arguments
            [  # noqa: S607 -- wherever it is installed
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={directory}/data",
                f"--web.listen-address={address}",
                "--log.level=error",
            ],
        )
        try:
            asked = Prometheus(f"http://{address}")
            asked.wait_until_ready()
            yield asked
        finally:
            process.terminate()
            process.wait(_PATIENCE)
