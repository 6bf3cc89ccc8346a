"""`python -m bench.walk`: how much code one poll and one scrape pass, and how large the tree is.

A simulated daemon with one client is polled over a real connection. Profiled are one steady poll
with its rendering, and a scrape after it: a new connection and gzip, as Prometheus asks first.
Counts depend on the Python version: 3.12 and later run comprehensions inline.
"""

import asyncio
import logging
import platform
from collections.abc import Iterable

import msgspec

from bench.call_profile import PACKAGE, CallProfile
from bench.children import simulated_daemons
from bench.report import format_table
from bench.scraper import Scraper
from bench.tree_size import LARGE, SMALL, TreeSize, tree_size
from exporter import app
from exporter.config import from_flags
from exporter.web.listener import ListenAddress

_TREES = ("exporter", "tests", "bench", "grafana")
_INTERVAL = 1.0
_ATTEMPTS = 10
_WARM_UP = 3
"""Polls before the one that is profiled: the first polls meet new clients and empty caches."""

_AFTERWARDS = 0.1
"""Seconds until the exporter has seen that a scrape's connection is closed."""

_POLLS = "openvpn_exporter_polls_total"


def main() -> None:
    """Profile, measure the tree, and print both."""
    logging.disable()
    with simulated_daemons(clients=1) as (address,):
        poll, scrape = asyncio.run(_profile(address))
    print(f"Python {platform.python_version()}\n")
    print(_profile_table(poll, scrape))
    print()
    print(_size_table({name: tree_size(PACKAGE.parent / name) for name in _TREES}.items()))


async def _profile(address: str) -> tuple[CallProfile, CallProfile]:
    """Serve one daemon; return the profiles of a poll and of a scrape."""
    config = msgspec.structs.replace(from_flags([address]), poll_interval=_INTERVAL)
    listen = [ListenAddress("127.0.0.1", 0)]
    async with app.run_app(config, listen=listen, telemetry_path="/metrics") as serving:
        (url,) = serving.urls
        poll = await _profile_poll(url)
        scrape = CallProfile()
        with scrape.recording():
            await asyncio.to_thread(_scrape, url)
            await asyncio.sleep(_AFTERWARDS)
    return poll, scrape


async def _profile_poll(url: str) -> CallProfile:
    """Record from the middle between two polls to the next middle."""
    with Scraper(url) as scraper:
        await asyncio.to_thread(scraper.wait_for_poll, polls=_WARM_UP)
        for _ in range(_ATTEMPTS):
            before = await asyncio.to_thread(scraper.wait_for_poll)
            await asyncio.sleep(_INTERVAL / 2)
            profile = CallProfile()
            with profile.recording():
                await asyncio.sleep(_INTERVAL)
            if await asyncio.to_thread(scraper.total, _POLLS) == before + 1:
                return profile
    raise TimeoutError("no interval had exactly one poll: the machine is too busy")


def _scrape(url: str) -> None:
    with Scraper(url) as scraper:
        scraper.scrape(compressed=True)


def _profile_table(poll: CallProfile, scrape: CallProfile) -> str:
    folders = sorted({*poll.folders, *scrape.folders})
    return format_table(
        ("exporter/", "poll: files", "functions", "calls", "scrape: files", "functions", "calls"),
        [
            *((name, *_counts(poll.of_folder(name), scrape.of_folder(name))) for name in folders),
            ("all", *_counts(poll, scrape)),
        ],
    )


def _counts(*profiles: CallProfile) -> Iterable[str]:
    for profile in profiles:
        for count in (len(profile.files), len(profile.functions), profile.calls):
            yield f"{count:,}"


def _size_table(sizes: Iterable[tuple[str, TreeSize]]) -> str:
    return format_table(
        (
            "tree",
            "files",
            "lines",
            "median file",
            f"files < {SMALL}",
            f"files > {LARGE}",
            "functions",
            "median function",
        ),
        [
            (f"{name}/", *(f"{value:,g}" for value in msgspec.structs.astuple(size)))
            for name, size in sizes
        ],
    )


if __name__ == "__main__":
    main()
