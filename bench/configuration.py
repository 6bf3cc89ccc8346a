"""The configuration of an exporter that is measured: files with every feature that has a cost.

Each daemon is shared with tools, and has a certificate, its CA, and a revocation list; one index
lists the certificates of all clients. Visitors use what is configured, once in each poll interval.
"""

import contextlib
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Self

import msgspec

from bench.management_tool import open_page
from bench.scraper import Scraper
from exporter.simulator.certificates import Authority
from exporter.simulator.index import write_index
from exporter.simulator.population.identity import make_identities

_DAYS = 400


class Configuration(msgspec.Struct, frozen=True):
    """The file of a configuration, the names of its daemons, and the addresses for tools."""

    path: Path
    daemons: Sequence[str]
    shared: Sequence[str]


@contextlib.contextmanager
def all_features(
    addresses: Sequence[str], names: Iterable[str], *, interval: float = 15.0, limit: int = 20_000
) -> Iterator[Configuration]:
    """Write the files for daemons whose clients have these names; they exist until the block ends.

    `interval` has seconds, `limit` the clients of a daemon with series of their own.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory, now = Path(name), time.time()
        authority = Authority(directory, now)
        index = write_index(directory / "index.txt", names, now, days={})
        files = {
            "cert": str(authority.certificate("server", _DAYS)),
            "ca": str(authority.ca),
            "crl_verify": str(authority.revocation_list()),
        }
        daemons = [f"office-{number}" for number in range(len(addresses))]
        shared = [f"unix:{directory}/{daemon}.sock" for daemon in daemons]
        content = {
            "poll_interval": f"{interval:g}s",
            "clients": {"limit": limit},
            "pki": {"index": str(index)},
            "daemons": [
                {"name": daemon, "management": address, "share": {"listen": [socket]}, **files}
                for daemon, address, socket in zip(daemons, addresses, shared, strict=True)
            ],
        }
        path = directory / "config.json"  # JSON is valid YAML
        path.write_text(json.dumps(content), encoding="utf-8")
        yield Configuration(path, daemons, shared)


def simulated_names(clients: int) -> Sequence[str]:
    """Return names of the clients of a simulated server."""
    identities = make_identities(clients, rng=Random(1), hostile_names=False)
    return [identity.common_name for identity in identities]


class Visitors:
    """Those who use an exporter: Prometheus, a person with a browser, and a tool.

    The person looks at the list of daemons and at the page of one of them, the tool asks for a
    status page of the same daemon. The next time they choose another.
    """

    def __init__(self, url: str, configuration: Configuration) -> None:
        self._scraper = Scraper(url)
        self._configuration = configuration
        self._visits = 0

    def __enter__(self) -> Self:
        self._scraper.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._scraper.__exit__(None, None, None)

    def visit(self) -> float:
        """Let each of them come once; return the seconds of the scrape, which is compressed."""
        number = self._visits % len(self._configuration.daemons)
        self._visits += 1
        seconds = self._scraper.scrape(compressed=True).seconds
        self._scraper.scrape("/", compressed=True)
        self._scraper.scrape(f"/daemons/{self._configuration.daemons[number]}", compressed=True)
        open_page(self._configuration.shared[number])
        return seconds
