"""Polls of one large daemon as the exporter's process sees them: processor time, stalls, delay."""

import time
from collections.abc import Callable

import msgspec

from bench.children import simulated, watched
from bench.effort import Effort
from bench.figures import MILLI, Figure, at_most, milliseconds, spread
from bench.progress import say
from bench.scraper import Scraper
from bench.watched import Observation

_SIZES = (5_000, 10_000)
_INTERVAL = 2.0
_PROCESSOR_LIMIT = 100.0
_PROCESSOR_BOUND = frozenset({10_000})
_STALL_LIMIT = 50.0
_POLLS = "openvpn_exporter_polls_total"
_DURATION = "openvpn_exporter_poll_duration_seconds"


class _Observed(msgspec.Struct):
    """What was seen over some polls, each followed by a scrape."""

    first: list[Observation] = []
    polls: list[Observation] = []
    scrapes: list[Observation] = []
    delays: list[float] = []


def measure(effort: Effort) -> list[Figure]:
    """Poll with and without scrapes in between."""
    figures: list[Figure] = []
    for clients in _SIZES:
        with simulated(clients=clients) as (address,):
            figures += _processor(address, clients, effort.polls)
            figures += _stalls(address, clients, effort.polls)
    return figures


def _processor(address: str, clients: int, polls: int) -> list[Figure]:
    of = f"{clients:,} clients: processor time of a poll"
    say(f"{of}, without scrapes and with")
    alone = _seconds_of_poll(address, polls, scraping=_no_scrape)
    plain = _seconds_of_poll(address, polls, scraping=Scraper.scrape)
    zipped = _seconds_of_poll(address, polls, scraping=_scrape_compressed)
    # From the socket to rendered text: a scrape only sends what is ready.
    bound = at_most(alone * MILLI, _PROCESSOR_LIMIT, "ms") if clients in _PROCESSOR_BOUND else None
    return [
        Figure(what=of, measured=milliseconds(alone), bound=bound),
        Figure(what=f"{of} and a scrape", measured=milliseconds(plain)),
        Figure(what=f"{of} and a scrape with gzip", measured=milliseconds(zipped)),
    ]


def _no_scrape(_: Scraper) -> None:
    """Let the poll stand alone."""


def _scrape_compressed(scraper: Scraper) -> None:
    scraper.scrape(compressed=True)


def _seconds_of_poll(address: str, polls: int, *, scraping: Callable[[Scraper], object]) -> float:
    """Return processor seconds of a poll and what is done after it."""
    with watched(address, interval=_INTERVAL, probe=False) as process, Scraper(process.url) as ours:
        ours.wait_for_poll(polls=2)
        ours.scrape()
        before = ours.total(_POLLS)
        process.observe()
        # In the middle between polls; asking whether one has come would cost time of its own.
        due = time.monotonic() + _INTERVAL / 2
        for _ in range(polls):
            due += _INTERVAL
            time.sleep(max(0.0, due - time.monotonic()))
            scraping(ours)
        spent = process.observe().processor
        return spent / (ours.total(_POLLS) - before)


def _stalls(address: str, clients: int, polls: int) -> list[Figure]:
    of = f"{clients:,} clients"
    say(f"{of}: stalls of the event loop over {polls} polls")
    plain = _observe(address, polls, compressed=False)
    say(f"{of}: likewise, scraped with gzip")
    zipped = _observe(address, polls, compressed=True)
    stall = f"{of}: longest stall of the loop"
    return [
        _stall(f"{stall}, first poll", plain.first + zipped.first),
        _stall(f"{stall}, further polls", plain.polls + zipped.polls),
        _stall(f"{stall}, first scrape after a poll", plain.scrapes),
        _stall(f"{stall}, first scrape after a poll, gzip", zipped.scrapes),
        Figure(what=f"{of}: from asking to the page's last byte", measured=spread(plain.delays)),
        Figure(what=f"{of}: likewise, gzip", measured=spread(zipped.delays)),
    ]


def _observe(address: str, polls: int, *, compressed: bool) -> _Observed:
    seen = _Observed()
    with watched(address, interval=_INTERVAL, probe=True) as process, Scraper(process.url) as ours:
        ours.wait_for_poll(polls=1)
        seen.first.append(process.observe())
        for _ in range(polls):
            ours.wait_for_poll()
            seen.polls.append(process.observe())
            scrape = ours.scrape(compressed=compressed)
            seen.scrapes.append(process.observe())
            seen.delays.append(ours.total(_DURATION) + scrape.seconds)
    return seen


def _stall(what: str, seen: list[Observation]) -> Figure:
    longest = max(seen, key=lambda observation: observation.stall_processor)
    return Figure(
        what=what,
        measured=f"{milliseconds(longest.stall_processor)} of work",
        reference=f"{milliseconds(longest.stall)} on the clock",
        bound=at_most(longest.stall_processor * MILLI, _STALL_LIMIT, "ms"),
    )
