"""Scrapes of a page of 10,000 clients, compared with a plain aiohttp server of the same bytes."""

import statistics
import tempfile
from pathlib import Path

from bench.benchmark import SampleSizes
from bench.children import baseline_server, free_port, probed_exporter, simulated_daemons
from bench.report import progress
from bench.result import (
    Result,
    at_most,
    format_mib,
    format_ms,
    format_ratio,
    format_spread,
)
from bench.scraper import Scraper

_CLIENTS = 10_000
_LIMIT = 1.5
_INTERVAL = 2.0
_NEVER = 3600.0
"""A poll interval longer than the benchmark: only the first poll happens."""


def measure(sizes: SampleSizes) -> list[Result]:
    """Scrape both servers in turn, then the exporter after each poll."""
    with simulated_daemons(clients=_CLIENTS) as (address,):
        progress("cached page")
        cached = _cached(address, sizes.scrapes)
        progress("first scrapes after a poll")
        return [*cached, *_after_poll(address, sizes.polls)]


def _cached(address: str, scrapes: int) -> list[Result]:
    with (
        probed_exporter(address, interval=_NEVER, probe=False) as process,
        Scraper(process.url) as exporter,
        tempfile.TemporaryDirectory() as directory,
    ):
        exporter.wait_for_poll(polls=1)
        page = Path(directory, "page")
        page.write_bytes(exporter.scrape().body)
        with baseline_server(free_port(), page) as server, Scraper(server.url) as baseline:
            baseline.wait_until_ready()
            pairs = [(exporter.scrape(), baseline.scrape()) for _ in range(scrapes)]
        compressed = [exporter.scrape(compressed=True) for _ in range(scrapes)]
    ours, theirs = [pair[0].seconds for pair in pairs], [pair[1].seconds for pair in pairs]
    plain_size, gzip_size = (format_mib(len(page.body)) for page in (pairs[0][0], compressed[0]))
    ratio = statistics.median(ours) / statistics.median(theirs)
    return [
        Result(
            name=f"page of {_CLIENTS:,} clients ({plain_size}), cached",
            measured=format_spread(ours),
            reference=f"plain aiohttp {format_spread(theirs)}",
            ratio=format_ratio(ratio),
            limit=at_most(ratio, _LIMIT, "x"),
        ),
        Result(
            name=f"page of {_CLIENTS:,} clients, gzip ({gzip_size}), cached",
            measured=format_spread([scrape.seconds for scrape in compressed]),
        ),
    ]


def _after_poll(address: str, polls: int) -> list[Result]:
    with (
        probed_exporter(address, interval=_INTERVAL, probe=False) as process,
        Scraper(process.url) as exporter,
    ):
        first: list[float] = []
        second: list[float] = []
        for _ in range(polls):
            exporter.wait_for_poll()
            first.append(exporter.scrape().seconds)
            second.append(exporter.scrape().seconds)
    return [
        Result(
            name=f"page of {_CLIENTS:,} clients, first scrape after a poll",
            measured=format_spread(first),
            reference=f"second scrape {format_ms(statistics.median(second))}",
            ratio=format_ratio(statistics.median(first) / statistics.median(second)),
        )
    ]
