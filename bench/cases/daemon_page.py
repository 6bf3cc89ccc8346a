"""The page and the JSON of a daemon with 10,000 clients: time, and the longest hold of the loop."""

import json
from collections.abc import Mapping
from urllib.parse import quote

from bench.benchmark import SampleSizes
from bench.children import probed_exporter, simulated_daemons
from bench.report import progress
from bench.result import MILLI, Result, at_most, format_mib, format_ms, format_spread
from bench.scraper import Scraper

_CLIENTS = 10_000
_NEVER = 3600.0
"""A poll interval longer than the benchmark: only the first poll happens."""

_LIMIT = 20.0
"""Milliseconds of CPU time for which a request may hold the event loop."""

_API = "/api/v1/daemons"

_REQUESTS: Mapping[str, str] = {
    "page of a daemon": "/daemons/{name}",
    "page of a daemon, by traffic": "/daemons/{name}?sort=-received",
    "page of a daemon, filtered": "/daemons/{name}?filter=laptop",
    "last page of a daemon": "/daemons/{name}?page=999",
    "JSON of a daemon": f"{_API}/{{name}}",
}


def measure(sizes: SampleSizes) -> list[Result]:
    """Request each of them several times."""
    with (
        simulated_daemons(clients=_CLIENTS) as (address,),
        probed_exporter(address, interval=_NEVER, probe=True) as process,
        Scraper(process.url) as client,
    ):
        client.wait_for_poll(polls=1)
        (daemon,) = json.loads(client.scrape(_API).body)["daemons"]
        name = quote(daemon["name"], safe="")
        results = []
        for kind, path in _REQUESTS.items():
            progress(kind)
            process.observe()
            replies = [client.scrape(path.format(name=name)) for _ in range(sizes.scrapes)]
            observation = process.observe()
            results.append(
                Result(
                    name=f"{kind} with {_CLIENTS:,} clients ({format_mib(len(replies[-1].body))})",
                    measured=format_spread([reply.seconds for reply in replies]),
                    reference=f"event loop held {format_ms(observation.stall_cpu)}",
                    limit=at_most(observation.stall_cpu * MILLI, _LIMIT, "ms"),
                )
            )
    return results
