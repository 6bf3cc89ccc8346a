"""A thousand daemons watched by one process: its share of a core, and its memory."""

import time

from bench.children import exporter, free_port, simulated
from bench.effort import Effort
from bench.figures import Figure, at_most, mebibytes, spread
from bench.process import footprint, processor_seconds
from bench.progress import say
from bench.scraper import Scraper

_DAEMONS = 1000
_CLIENTS = 10
_INTERVAL = 15.0
_LIMIT = 25.0
_UP = "openvpn_up"
_POLLS = "openvpn_exporter_polls_total"


def measure(effort: Effort) -> list[Figure]:
    """Let the fleet settle, then watch it for a while, scraping as often as it is polled."""
    say(f"{_DAEMONS:,} daemons come up")
    with (
        simulated(servers=_DAEMONS, clients=_CLIENTS) as addresses,
        exporter(addresses, free_port()) as process,
        Scraper(process.url) as scraper,
    ):
        scraper.wait_until_answered()
        time.sleep(_INTERVAL)
        say(f"watching {scraper.total(_UP):.0f} of them for {effort.fleet_seconds:g} s")
        polls, spent = scraper.total(_POLLS), processor_seconds(process.pid)
        started = time.monotonic()
        scrapes: list[float] = []
        while time.monotonic() < started + effort.fleet_seconds:
            time.sleep(_INTERVAL)
            scrapes.append(scraper.scrape().seconds)
        elapsed = time.monotonic() - started
        spent = processor_seconds(process.pid) - spent
        polls, up = scraper.total(_POLLS) - polls, scraper.total(_UP)
        memory = footprint(process.pid)
    share = 100 * spent / elapsed
    of = f"{_DAEMONS:,} daemons of {_CLIENTS} clients"
    return [
        Figure(
            what=f"{of} at {_INTERVAL:g} s: share of one core, scrapes included",
            measured=f"{share:.1f} %",
            reference=f"{up:.0f} up, {polls / elapsed:.1f} polls a second",
            bound=at_most(share, _LIMIT, "%"),
        ),
        Figure(
            what=f"{of}: memory",
            measured=mebibytes(memory.resident),
            reference=f"{mebibytes(memory.private_dirty)} private dirty",
        ),
        Figure(what=f"{of}: page", measured=spread(scrapes)),
    ]
