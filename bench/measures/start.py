"""From the start of the process to its first answered scrape."""

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.children import bare, exporter, free_port, simulated
from bench.effort import Effort
from bench.figures import Figure, at_most, spread, times
from bench.progress import say
from bench.scraper import Scraper

_CLIENTS = 100
_LIMIT = 0.6


def measure(effort: Effort) -> list[Figure]:
    """Start the exporter and a bare aiohttp server in turn."""
    with simulated(clients=_CLIENTS) as addresses:
        ours: list[float] = []
        theirs: list[float] = []
        for run in range(effort.starts):
            say(f"start {run + 1} of {effort.starts}")
            theirs.append(_seconds(bare))
            ours.append(_seconds(lambda port: exporter(addresses, port)))
    median = statistics.median(ours)
    return [
        Figure(
            what=f"start to first answered scrape, {_CLIENTS} clients",
            measured=spread(ours),
            reference=f"bare aiohttp {spread(theirs)}",
            ratio=times(median / statistics.median(theirs)),
            bound=at_most(median, _LIMIT, "s"),
        )
    ]


def _seconds(server: Callable[[int], AbstractContextManager[object]]) -> float:
    port = free_port()
    started = time.perf_counter()
    with server(port), Scraper(f"http://127.0.0.1:{port}") as scraper:
        scraper.wait_until_answered()
        return time.perf_counter() - started
