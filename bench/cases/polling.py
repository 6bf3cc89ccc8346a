"""Polls of one large daemon: CPU time of the exporter, stalls of its event loop, delay."""

import time
from collections.abc import Callable

import msgspec

from bench.benchmark import SampleSizes
from bench.children import probed_exporter, simulated_daemons
from bench.loop_probe import Observation
from bench.report import progress
from bench.result import MILLI, Result, at_most, format_ms, format_spread
from bench.scraper import Scraper

_SIZES = (5_000, 10_000)
_INTERVAL = 2.0
_CPU_LIMIT = 100.0
_LIMITED_SIZES = frozenset({10_000})
_STALL_LIMIT = 50.0
_POLLS = "openvpn_exporter_polls_total"
_DURATION = "openvpn_exporter_poll_duration_seconds"


class _Observed(msgspec.Struct):
    """Observations of some polls, each followed by a scrape."""

    first: list[Observation] = []
    polls: list[Observation] = []
    scrapes: list[Observation] = []
    delays: list[float] = []


def measure(sizes: SampleSizes) -> list[Result]:
    """Measure polls with and without scrapes in between."""
    results: list[Result] = []
    for clients in _SIZES:
        with simulated_daemons(clients=clients) as (address,):
            results += _cpu(address, clients, sizes.polls)
            results += _stalls(address, clients, sizes.polls)
    return results


def _cpu(address: str, clients: int, polls: int) -> list[Result]:
    title = f"{clients:,} clients: CPU time of a poll"
    progress(f"{title}, with and without scrapes")
    alone = _seconds_of_poll(address, polls, scrape=_no_scrape)
    plain = _seconds_of_poll(address, polls, scrape=Scraper.scrape)
    compressed = _seconds_of_poll(address, polls, scrape=_scrape_compressed)
    # The limit holds for a poll with rendering: a scrape only sends rendered text.
    limit = at_most(alone * MILLI, _CPU_LIMIT, "ms") if clients in _LIMITED_SIZES else None
    return [
        Result(name=title, measured=format_ms(alone), limit=limit),
        Result(name=f"{title} and a scrape", measured=format_ms(plain)),
        Result(name=f"{title} and a scrape with gzip", measured=format_ms(compressed)),
    ]


def _no_scrape(_: Scraper) -> None:
    """Scrape nothing after the poll."""


def _scrape_compressed(scraper: Scraper) -> None:
    scraper.scrape(compressed=True)


def _seconds_of_poll(address: str, polls: int, *, scrape: Callable[[Scraper], object]) -> float:
    """Return the CPU time of a poll and the scrape after it in seconds."""
    with (
        probed_exporter(address, interval=_INTERVAL, probe=False) as process,
        Scraper(process.url) as scraper,
    ):
        scraper.wait_for_poll(polls=2)
        scraper.scrape()
        before = scraper.total(_POLLS)
        process.observe()
        # Scrape in the middle between two polls: waiting for a poll would need further scrapes.
        due = time.monotonic() + _INTERVAL / 2
        for _ in range(polls):
            due += _INTERVAL
            time.sleep(max(0.0, due - time.monotonic()))
            scrape(scraper)
        spent = process.observe().cpu
        return spent / (scraper.total(_POLLS) - before)


def _stalls(address: str, clients: int, polls: int) -> list[Result]:
    title = f"{clients:,} clients"
    progress(f"{title}: stalls of the event loop over {polls} polls")
    plain = _observe(address, polls, compressed=False)
    progress(f"{title}: stalls, scraped with gzip")
    compressed = _observe(address, polls, compressed=True)
    stall = f"{title}: longest stall of the event loop"
    return [
        _stall(f"{stall}, first poll", plain.first + compressed.first),
        _stall(f"{stall}, further polls", plain.polls + compressed.polls),
        _stall(f"{stall}, first scrape after a poll", plain.scrapes),
        _stall(f"{stall}, first scrape after a poll, gzip", compressed.scrapes),
        Result(
            name=f"{title}: poll duration plus scrape duration",
            measured=format_spread(plain.delays),
        ),
        Result(
            name=f"{title}: poll duration plus scrape duration, gzip",
            measured=format_spread(compressed.delays),
        ),
    ]


def _observe(address: str, polls: int, *, compressed: bool) -> _Observed:
    observed = _Observed()
    with (
        probed_exporter(address, interval=_INTERVAL, probe=True) as process,
        Scraper(process.url) as scraper,
    ):
        scraper.wait_for_poll(polls=1)
        observed.first.append(process.observe())
        for _ in range(polls):
            scraper.wait_for_poll()
            observed.polls.append(process.observe())
            scrape = scraper.scrape(compressed=compressed)
            observed.scrapes.append(process.observe())
            observed.delays.append(scraper.total(_DURATION) + scrape.seconds)
    return observed


def _stall(name: str, observations: list[Observation]) -> Result:
    longest = max(observations, key=lambda observation: observation.stall_cpu)
    return Result(
        name=name,
        measured=f"{format_ms(longest.stall_cpu)} CPU time",
        reference=f"{format_ms(longest.stall)} elapsed",
        limit=at_most(longest.stall_cpu * MILLI, _STALL_LIMIT, "ms"),
    )
