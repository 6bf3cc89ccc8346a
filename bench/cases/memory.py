"""Memory of the exporter after polls and scrapes, with an address alone and with all features."""

import contextlib

from bench.benchmark import SampleSizes
from bench.children import Server, baseline_server, exporter_process, free_port, simulated_daemons
from bench.configuration import all_features, simulated_names
from bench.process import Footprint, footprint
from bench.report import progress
from bench.result import MEBI, Result, at_most, format_mib, format_ratio
from bench.scraper import Scraper

_LIMITS = {100: 42.0, 10_000: 65.0, 100_000: 300.0}
"""MiB by number of clients."""

_POLLS = 3
_DEADLINE = 120.0


def measure(sizes: SampleSizes) -> list[Result]:
    """Run an exporter for a small and one for a large daemon."""
    progress("plain aiohttp")
    with baseline_server(free_port()) as server, Scraper(server.url) as scraper:
        scraper.wait_until_ready()
        reference = _after_scrapes(server, scraper, sizes.scrapes)
    return [
        _result(clients, sizes, reference, features=features)
        for clients in _LIMITS
        for features in (False, True)
    ]


def _result(clients: int, sizes: SampleSizes, reference: Footprint, *, features: bool) -> Result:
    title = f"{clients:,} clients" + ", all features" * features
    progress(f"{title}, {_POLLS} polls")
    with contextlib.ExitStack() as stack:
        addresses = stack.enter_context(simulated_daemons(clients=clients))
        config = None
        if features:
            names = simulated_names(clients)
            configuration = stack.enter_context(all_features(addresses, names))
            addresses, config = (), configuration.path
        server = stack.enter_context(exporter_process(addresses, free_port(), config=config))
        scraper = stack.enter_context(Scraper(server.url))
        scraper.wait_until_ready()
        scraper.wait_for_poll(polls=_POLLS, deadline=_DEADLINE)
        ours = _after_scrapes(server, scraper, sizes.scrapes)
    return Result(
        name=f"memory, 1 daemon of {title}, scraped with and without gzip",
        measured=_format(ours),
        reference=f"plain aiohttp {_format(reference)}",
        ratio=format_ratio(ours.resident / reference.resident),
        limit=at_most(ours.resident / MEBI, _LIMITS[clients], "MiB"),
    )


def _after_scrapes(server: Server, scraper: Scraper, scrapes: int) -> Footprint:
    for number in range(scrapes):
        scraper.scrape(compressed=number % 2 == 0)
    return footprint(server.pid)


def _format(memory: Footprint) -> str:
    return f"{format_mib(memory.resident)} ({format_mib(memory.private_dirty)} private dirty)"
