"""A page of 10,000 clients over HTTP, against the same bytes from a bare aiohttp handler."""

import statistics
import tempfile
from pathlib import Path

from bench.children import bare, free_port, simulated, watched
from bench.effort import Effort
from bench.figures import Figure, at_most, mebibytes, milliseconds, spread, times
from bench.progress import say
from bench.scraper import Scraper

_CLIENTS = 10_000
_LIMIT = 1.5
_INTERVAL = 2.0
_ONCE = 3600.0
"""An interval that no measure outlasts."""


def measure(effort: Effort) -> list[Figure]:
    """Scrape both servers in turn, then ours after each poll."""
    with simulated(clients=_CLIENTS) as (address,):
        say("cached, against the same bytes")
        cached = _cached(address, effort.scrapes)
        say("cold")
        return [*cached, *_cold(address, effort.polls)]


def _cached(address: str, scrapes: int) -> list[Figure]:
    with (
        watched(address, interval=_ONCE, probe=False) as process,
        Scraper(process.url) as ours,
        tempfile.TemporaryDirectory() as directory,
    ):
        ours.wait_for_poll(polls=1)
        page = Path(directory, "page")
        page.write_bytes(ours.scrape().body)
        with bare(free_port(), page) as server, Scraper(server.url) as theirs:
            theirs.wait_until_answered()
            pairs = [(ours.scrape(), theirs.scrape()) for _ in range(scrapes)]
        zipped = [ours.scrape(compressed=True) for _ in range(scrapes)]
    mine, other = [pair[0].seconds for pair in pairs], [pair[1].seconds for pair in pairs]
    ratio = statistics.median(mine) / statistics.median(other)
    return [
        Figure(
            what=f"page of {_CLIENTS:,} clients ({mebibytes(len(pairs[0][0].body))}), cached",
            measured=spread(mine),
            reference=f"bare handler {spread(other)}",
            ratio=times(ratio),
            bound=at_most(ratio, _LIMIT, "x"),
        ),
        Figure(
            what=f"likewise, gzip ({mebibytes(len(zipped[0].body))})",
            measured=spread([scrape.seconds for scrape in zipped]),
        ),
    ]


def _cold(address: str, polls: int) -> list[Figure]:
    with watched(address, interval=_INTERVAL, probe=False) as process, Scraper(process.url) as ours:
        cold: list[float] = []
        again: list[float] = []
        for _ in range(polls):
            ours.wait_for_poll()
            cold.append(ours.scrape().seconds)
            again.append(ours.scrape().seconds)
    return [
        Figure(
            what=f"page of {_CLIENTS:,} clients, first scrape after a poll",
            measured=spread(cold),
            reference=f"second {milliseconds(statistics.median(again))}",
            ratio=times(statistics.median(cold) / statistics.median(again)),
        )
    ]
