"""Time from the start of the process to its first successful scrape."""

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.benchmark import SampleSizes
from bench.children import baseline_server, exporter_process, free_port, simulated_daemons
from bench.report import progress
from bench.result import Result, at_most, format_ratio, format_spread
from bench.scraper import Scraper

_CLIENTS = 100
_LIMIT = 1.2


def measure(sizes: SampleSizes) -> list[Result]:
    """Start the exporter and a plain aiohttp server in turn."""
    with simulated_daemons(clients=_CLIENTS) as addresses:
        ours: list[float] = []
        theirs: list[float] = []
        for run in range(sizes.starts):
            progress(f"start {run + 1} of {sizes.starts}")
            theirs.append(_seconds(baseline_server))
            ours.append(_seconds(lambda port: exporter_process(addresses, port)))
    ratio = statistics.median(ours) / statistics.median(theirs)
    return [
        Result(
            name=f"start to first successful scrape, {_CLIENTS} clients",
            measured=format_spread(ours),
            reference=f"plain aiohttp {format_spread(theirs)}",
            ratio=format_ratio(ratio),
            limit=at_most(ratio, _LIMIT, "x"),
        )
    ]


def _seconds(server: Callable[[int], AbstractContextManager[object]]) -> float:
    port = free_port()
    started = time.perf_counter()
    with server(port), Scraper(f"http://127.0.0.1:{port}") as scraper:
        scraper.wait_until_ready()
        return time.perf_counter() - started
