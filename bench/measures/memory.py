"""The memory of the exporter, after polls and scrapes."""

from bench.children import Server, bare, exporter, free_port, simulated
from bench.effort import Effort
from bench.figures import MEBI, Figure, at_most, mebibytes, times
from bench.process import Footprint, footprint
from bench.progress import say
from bench.scraper import Scraper

_LIMITS = {100: 45.0, 10_000: 85.0}
"""MiB by clients of the one daemon."""


_POLLS = 3


def measure(effort: Effort) -> list[Figure]:
    """Watch small and large daemons with an exporter each."""
    say("bare aiohttp")
    with bare(free_port()) as server, Scraper(server.url) as scraper:
        scraper.wait_until_answered()
        reference = _after_scrapes(server, scraper, effort.scrapes)
    return [_figure(clients, effort, reference) for clients in _LIMITS]


def _figure(clients: int, effort: Effort, reference: Footprint) -> Figure:
    say(f"{clients:,} clients, {_POLLS} polls")
    with (
        simulated(clients=clients) as addresses,
        exporter(addresses, free_port()) as server,
        Scraper(server.url) as scraper,
    ):
        scraper.wait_until_answered()
        scraper.wait_for_poll(polls=_POLLS)
        ours = _after_scrapes(server, scraper, effort.scrapes)
    return Figure(
        what=f"memory, 1 daemon of {clients:,} clients, scraped with and without gzip",
        measured=_text(ours),
        reference=f"bare aiohttp {_text(reference)}",
        ratio=times(ours.resident / reference.resident),
        bound=at_most(ours.resident / MEBI, _LIMITS[clients], "MiB"),
    )


def _after_scrapes(server: Server, scraper: Scraper, scrapes: int) -> Footprint:
    for number in range(scrapes):
        scraper.scrape(compressed=number % 2 == 0)
    return footprint(server.pid)


def _text(memory: Footprint) -> str:
    return f"{mebibytes(memory.resident)} ({mebibytes(memory.private_dirty)} private dirty)"
