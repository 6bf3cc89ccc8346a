"""One exporter for 1,000 daemons: its CPU usage, memory and stalls of the event loop."""

import time
from collections.abc import Sequence

from bench.benchmark import SampleSizes
from bench.children import exporter_process, free_port, probed_exporter, simulated_daemons
from bench.process import cpu_seconds, footprint
from bench.report import progress
from bench.result import (
    MILLI,
    Result,
    at_most,
    format_mib,
    format_ms,
    format_spread,
)
from bench.scraper import Scraper

_DAEMONS = 1000
_CLIENTS = 10
_INTERVAL = 15.0
_LIMIT = 25.0
_STALL_LIMIT = 50.0
_TITLE = f"{_DAEMONS:,} daemons of {_CLIENTS} clients"
_UP = "openvpn_up"
_POLLS = "openvpn_exporter_polls_total"


def measure(sizes: SampleSizes) -> list[Result]:
    """Poll all daemons for a while; the scrape interval equals the poll interval."""
    progress(f"{_DAEMONS:,} daemons: starting")
    with simulated_daemons(servers=_DAEMONS, clients=_CLIENTS) as addresses:
        results = _cpu_and_memory(addresses, sizes.fleet_seconds)
        progress("stalls of the event loop")
        return [*results, _stalls(addresses)]


def _cpu_and_memory(addresses: Sequence[str], seconds: float) -> list[Result]:
    with exporter_process(addresses, free_port()) as process, Scraper(process.url) as scraper:
        scraper.wait_until_ready()
        time.sleep(_INTERVAL)  # until every daemon was polled once
        progress(f"measuring for {seconds:g} s, {scraper.total(_UP):.0f} daemons up")
        polls, spent = scraper.total(_POLLS), cpu_seconds(process.pid)
        started = time.monotonic()
        scrapes: list[float] = []
        while time.monotonic() < started + seconds:
            time.sleep(_INTERVAL)
            scrapes.append(scraper.scrape().seconds)
        elapsed = time.monotonic() - started
        share = 100 * (cpu_seconds(process.pid) - spent) / elapsed
        polls, up = scraper.total(_POLLS) - polls, scraper.total(_UP)
        memory = footprint(process.pid)
    return [
        Result(
            name=f"{_TITLE} every {_INTERVAL:g} s: CPU usage, scrapes included",
            measured=f"{share:.1f} % of a core",
            reference=f"{up:.0f} up, {polls / elapsed:.1f} polls/s",
            limit=at_most(share, _LIMIT, "%"),
        ),
        Result(
            name=f"{_TITLE}: memory",
            measured=format_mib(memory.resident),
            reference=f"{format_mib(memory.private_dirty)} private dirty",
        ),
        Result(name=f"{_TITLE}: scrape duration", measured=format_spread(scrapes)),
    ]


def _stalls(addresses: Sequence[str]) -> Result:
    with (
        probed_exporter(*addresses, interval=_INTERVAL, probe=True) as process,
        Scraper(process.url) as ours,
    ):
        time.sleep(_INTERVAL)
        process.observe()
        time.sleep(_INTERVAL)
        polling = process.observe()
        ours.scrape()
        scraping = process.observe()
    return Result(
        name=f"{_TITLE}: longest stall of the event loop in a scrape",
        measured=f"{format_ms(scraping.stall_cpu)} CPU time",
        reference=f"in polls {format_ms(polling.stall_cpu)}",
        limit=at_most(scraping.stall_cpu * MILLI, _STALL_LIMIT, "ms"),
    )
