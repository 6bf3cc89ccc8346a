"""A thousand daemons watched by one process: its share of a core, and its memory."""

import time
from collections.abc import Sequence

from bench.children import exporter, free_port, simulated, watched
from bench.effort import Effort
from bench.figures import MILLI, Figure, at_most, mebibytes, milliseconds, spread
from bench.process import footprint, processor_seconds
from bench.progress import say
from bench.scraper import Scraper

_DAEMONS = 1000
_CLIENTS = 10
_INTERVAL = 15.0
_LIMIT = 25.0
_STALL_LIMIT = 50.0
_OF = f"{_DAEMONS:,} daemons of {_CLIENTS} clients"
_UP = "openvpn_up"
_POLLS = "openvpn_exporter_polls_total"


def measure(effort: Effort) -> list[Figure]:
    """Watch a fleet for a while, scraping as often as it is polled."""
    say(f"{_DAEMONS:,} daemons come up")
    with simulated(servers=_DAEMONS, clients=_CLIENTS) as addresses:
        figures = _costs(addresses, effort.fleet_seconds)
        say("stalls of the event loop")
        return [*figures, _stalls(addresses)]


def _costs(addresses: Sequence[str], seconds: float) -> list[Figure]:
    with exporter(addresses, free_port()) as process, Scraper(process.url) as scraper:
        scraper.wait_until_answered()
        time.sleep(_INTERVAL)  # until all have been polled, each at its own part of the interval
        say(f"watching {scraper.total(_UP):.0f} of them for {seconds:g} s")
        polls, spent = scraper.total(_POLLS), processor_seconds(process.pid)
        started = time.monotonic()
        scrapes: list[float] = []
        while time.monotonic() < started + seconds:
            time.sleep(_INTERVAL)
            scrapes.append(scraper.scrape().seconds)
        elapsed = time.monotonic() - started
        share = 100 * (processor_seconds(process.pid) - spent) / elapsed
        polls, up = scraper.total(_POLLS) - polls, scraper.total(_UP)
        memory = footprint(process.pid)
    return [
        Figure(
            what=f"{_OF} at {_INTERVAL:g} s: share of one core, scrapes included",
            measured=f"{share:.1f} %",
            reference=f"{up:.0f} up, {polls / elapsed:.1f} polls a second",
            bound=at_most(share, _LIMIT, "%"),
        ),
        Figure(
            what=f"{_OF}: memory",
            measured=mebibytes(memory.resident),
            reference=f"{mebibytes(memory.private_dirty)} private dirty",
        ),
        Figure(what=f"{_OF}: a scrape", measured=spread(scrapes)),
    ]


def _stalls(addresses: Sequence[str]) -> Figure:
    with (
        watched(*addresses, interval=_INTERVAL, probe=True) as process,
        Scraper(process.url) as ours,
    ):
        time.sleep(_INTERVAL)
        process.observe()
        time.sleep(_INTERVAL)
        polling = process.observe()
        ours.scrape()
        scraping = process.observe()
    return Figure(
        what=f"{_OF}: longest stall of the loop, by a scrape",
        measured=f"{milliseconds(scraping.stall_processor)} of work",
        reference=f"by polls {milliseconds(polling.stall_processor)}",
        bound=at_most(scraping.stall_processor * MILLI, _STALL_LIMIT, "ms"),
    )
