"""One exporter for 1,000 and for 3,000 daemons: CPU usage, memory, holds of the event loop.

All features are switched on.
"""

import time

from bench.benchmark import SampleSizes
from bench.children import exporter_process, free_port, probed_exporter, simulated_daemons
from bench.configuration import Configuration, Visitors, all_features, simulated_names
from bench.process import cpu_seconds, footprint
from bench.report import progress
from bench.result import (
    KIBI,
    MILLI,
    Result,
    at_most,
    format_mib,
    format_ms,
    format_spread,
)
from bench.scraper import Scraper

_LIMITS = {1000: 8.0, 3000: 20.0}
"""Per cent of a core by number of daemons."""

_CLIENTS = 10
_INTERVAL = 15.0
_MEMORY_LIMIT = 60.0
"""KiB for each further daemon."""

_HOLD_LIMIT = 20.0
"""Milliseconds of CPU time for which the event loop may be held, garbage collections included."""
_UP = "openvpn_up"
_POLLS = "openvpn_exporter_polls_total"


def measure(sizes: SampleSizes) -> list[Result]:
    """Poll all daemons for a while; visitors come once in the poll interval."""
    results: list[Result] = []
    resident: dict[int, int] = {}
    for daemons, limit in {1: None, **_LIMITS}.items():
        progress(f"{daemons:,} daemons: starting")
        with simulated_daemons(servers=daemons, clients=_CLIENTS) as addresses:
            title = f"{daemons:,} daemons of {_CLIENTS} clients"
            with all_features(addresses, simulated_names(_CLIENTS)) as configuration:
                memory, rows = _cpu_and_memory(
                    title, configuration, sizes.fleet_seconds, limit=limit
                )
            resident[daemons] = memory
            if limit is not None:
                results += rows
                results.append(_memory(title, daemons, memory - resident[1]))
                progress(f"{title}: holds of the event loop")
                with all_features(addresses, simulated_names(_CLIENTS)) as configuration:
                    results.append(_hold(title, configuration, sizes.fleet_seconds))
    return results


def _cpu_and_memory(
    title: str, configuration: Configuration, seconds: float, *, limit: float | None
) -> tuple[int, list[Result]]:
    """Return the resident memory in bytes, and the rows of the table."""
    with (
        exporter_process((), free_port(), config=configuration.path) as process,
        Scraper(process.url) as scraper,
        Visitors(process.url, configuration) as visitors,
    ):
        scraper.wait_until_ready()
        time.sleep(_INTERVAL)  # until every daemon was polled once
        progress(f"measuring for {seconds:g} s, {scraper.total(_UP):.0f} daemons up")
        polls, spent = scraper.total(_POLLS), cpu_seconds(process.pid)
        started = time.monotonic()
        scrapes: list[float] = []
        while time.monotonic() < started + seconds:
            time.sleep(_INTERVAL)
            scrapes.append(visitors.visit())
        elapsed = time.monotonic() - started
        share = 100 * (cpu_seconds(process.pid) - spent) / elapsed
        polls, up = scraper.total(_POLLS) - polls, scraper.total(_UP)
        resident = footprint(process.pid).resident
    return resident, [
        Result(
            name=f"{title} every {_INTERVAL:g} s: CPU usage, visitors included",
            measured=f"{share:.1f} % of a core",
            reference=f"{up:.0f} up, {polls / elapsed:.1f} polls/s",
            limit=None if limit is None else at_most(share, limit, "%"),
        ),
        Result(name=f"{title}: scrape with gzip", measured=format_spread(scrapes)),
    ]


def _memory(title: str, daemons: int, memory: int) -> Result:
    each = memory / KIBI / daemons
    return Result(
        name=f"{title}: memory beyond one daemon",
        measured=format_mib(memory),
        reference=f"{each:.0f} KiB a daemon",
        limit=at_most(each, _MEMORY_LIMIT, "KiB"),
    )


def _hold(title: str, configuration: Configuration, seconds: float) -> Result:
    """Observe the start, all polls, and visits in each interval."""
    with (
        probed_exporter(config=configuration.path, probe=True) as process,
        Visitors(process.url, configuration) as visitors,
    ):
        time.sleep(_INTERVAL)
        first = process.observe().stall_cpu
        longest = 0.0
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(_INTERVAL)
            visitors.visit()
            longest = max(longest, process.observe().stall_cpu)
    return Result(
        name=f"{title}: longest hold of the event loop in {seconds:g} s, collections included",
        measured=f"{format_ms(longest)} CPU time",
        reference=f"at the start {format_ms(first)}",
        limit=at_most(longest * MILLI, _HOLD_LIMIT, "ms"),
    )
