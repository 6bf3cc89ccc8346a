"""`python -m bench.aliasing [--minutes N]`: the error of `rate()` by poll interval.

Simulated clients transfer the same number of bytes per second. A real Prometheus scrapes the
exporter; its `rate()` is evaluated every few seconds and compared with the true rate. Intervals
are real time: the result for 15 seconds was measured with 15 seconds.
"""

import argparse
import asyncio
import contextlib
import logging
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from bench.children import free_port
from bench.prometheus import Prometheus, prometheus
from bench.report import progress
from bench.steady_traffic import steady_clock
from exporter.app import run_app
from exporter.config import from_flags
from exporter.simulator.population.counter import TICKS_PER_SECOND
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.simulated_daemon import simulated_server
from exporter.web.listener import ListenAddress

_SCRAPE_INTERVAL = 15.0
_WINDOWS = ("1m", "5m")
_LONGEST_WINDOW = 300.0
_STEP = 5.0
_RATE = 1000
_TRUE_RATE = float(_RATE * TICKS_PER_SECOND)
_CLIENT = ClientIdentity(common_name="steady", receive_rate=_RATE)

_AT_SCRAPE = tuple(-0.005 * step for step in range(14))
"""Offsets in seconds of an exporter that polls at the time of the scrapes.

The time that a start takes is not known exactly, so several offsets are measured.
"""


class PollTiming(msgspec.Struct, frozen=True):
    """How a daemon is polled; the offset is in seconds, from a scrape to the first poll."""

    refresh: bool
    interval: float
    offset: float

    @property
    def at_scrape(self) -> bool:
        """Whether polls and scrapes happen at the same time."""
        return self.offset in _AT_SCRAPE

    @property
    def title(self) -> str:
        """The cells of the table that describe this timing."""
        refresh = "true" if self.refresh else "false"
        moment = "at the time of the scrape" if self.at_scrape else "between two scrapes"
        return f"{_SCRAPE_INTERVAL:g} s | {self.interval:g} s | `{refresh}` | {moment}"


TIMINGS = tuple(
    PollTiming(refresh, interval, offset)
    for refresh in (False, True)
    for interval in (5.0, 15.0, 60.0)
    for offset in (*_AT_SCRAPE, min(interval, _SCRAPE_INTERVAL) / 2)
)


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.aliasing")
    parser.add_argument(
        "--minutes", type=float, default=7.0, help="minutes of measurement (default: 7)"
    )
    arguments = parser.parse_args()
    logging.disable()
    # One loopback address per exporter: other programs use none of these, so the port is free.
    port = free_port()
    exporters = {f"127.0.1.{number}:{port}": timing for number, timing in enumerate(TIMINGS, 1)}
    with prometheus(tuple(exporters), interval=_SCRAPE_INTERVAL) as server:
        progress("waiting for the first scrapes")
        time.sleep(_SCRAPE_INTERVAL + 1)
        errors = asyncio.run(_measure(exporters, server, arguments.minutes * 60))
    print(_table(exporters, errors))


async def _measure(
    exporters: Mapping[str, PollTiming], server: Prometheus, seconds: float
) -> Mapping[str, Mapping[str, Sequence[float]]]:
    """Run every exporter; return the relative errors by window and address."""
    scrapes = server.last_scrapes()
    async with contextlib.AsyncExitStack() as stack:
        await asyncio.gather(
            *(
                stack.enter_async_context(_exporter(address, timing, scrapes[address]))
                for address, timing in exporters.items()
            )
        )
        started_at = time.time() + _SCRAPE_INTERVAL
        progress(f"measuring for {(_LONGEST_WINDOW + seconds) / 60:.0f} minutes")
        await asyncio.sleep(_SCRAPE_INTERVAL + _LONGEST_WINDOW + seconds)
        return {
            window: _errors(server, window, started_at + _LONGEST_WINDOW) for window in _WINDOWS
        }


@contextlib.asynccontextmanager
async def _exporter(address: str, timing: PollTiming, last_scrape: float) -> AsyncIterator[None]:
    """Run an exporter for one simulated daemon, with its first poll at the offset of `timing`."""
    host, _, port = address.partition(":")
    listen = [ListenAddress(host, int(port))]
    async with simulated_server(clients=[_CLIENT], clock=steady_clock) as daemon:
        config = msgspec.structs.replace(
            from_flags([daemon.address]),
            poll_interval=timing.interval,
            refresh_on_scrape=timing.refresh,
        )
        await asyncio.sleep((last_scrape + timing.offset - time.time()) % _SCRAPE_INTERVAL)
        async with run_app(config, listen=listen, telemetry_path="/metrics"):
            yield


def _errors(server: Prometheus, window: str, start: float) -> Mapping[str, Sequence[float]]:
    query = f'rate(openvpn_server_client_received_bytes_total{{common_name="steady"}}[{window}])'
    values = server.values(query, start=start, end=time.time(), step=_STEP)
    return {
        address: [value / _TRUE_RATE - 1 for value in measured]
        for address, measured in values.items()
    }


def _table(
    exporters: Mapping[str, PollTiming], errors: Mapping[str, Mapping[str, Sequence[float]]]
) -> str:
    """Return one row per timing; all offsets at the time of the scrape are one row."""
    head = [
        "| scrape | poll | `refresh_on_scrape` | time of a poll | "
        + " | ".join(f"error of `rate()[{window}]`" for window in _WINDOWS)
        + " |",
        "|---|---|---|---|" + "---|" * len(_WINDOWS),
    ]
    rows = []
    for title in dict.fromkeys(timing.title for timing in exporters.values()):
        addresses = [address for address, timing in exporters.items() if timing.title == title]
        cells = [
            _format_spread(
                [error for address in addresses for error in errors[window].get(address, ())]
            )
            for window in _WINDOWS
        ]
        rows.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join([*head, *rows])


def _format_spread(errors: Sequence[float]) -> str:
    """Return minimum, median and maximum in percent."""
    if not errors:
        return "none"
    points = (min(errors), statistics.median(errors), max(errors))
    return " / ".join(f"{100 * point:+.1f} %" for point in points)


if __name__ == "__main__":
    main()
