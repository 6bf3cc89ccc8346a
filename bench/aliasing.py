"""`python -m bench.aliasing [--minutes N]`: how wrong `rate()` is, by how a daemon is polled.

Watches simulated clients that move the same number of bytes each second, has a real Prometheus
scrape, asks it for their rate every few seconds, and compares that with the truth. In real time:
what is said of 15 seconds was measured with 15 seconds.
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
from bench.progress import say
from bench.prometheus import Prometheus, prometheus
from bench.steady import steady_clock
from exporter.app import serving
from exporter.config import from_flags
from exporter.simulator.population.counter import TICKS_PER_SECOND
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.simulated_daemon import simulated_server
from exporter.web.listening import ListenAddress

_SCRAPE = 15.0
_WINDOWS = ("1m", "5m")
_LONGEST = 300.0
_STEP = 5.0
_RATE = 1000
_TRUTH = float(_RATE * TICKS_PER_SECOND)
_CLIENT = ClientIdentity(common_name="steady", receive_rate=_RATE)

_SAME = tuple(-0.005 * step for step in range(14))
"""Seconds from a scrape to the start of an exporter whose polls come at the moment of scrapes.

Starting takes some time that nobody knows; so several are tried.
"""


class Case(msgspec.Struct, frozen=True):
    """A way of polling, and how many seconds after the scrapes its first poll comes."""

    refresh: bool
    poll: float
    apart: float

    @property
    def together(self) -> bool:
        """Whether polls and scrapes come at the same moment."""
        return self.apart in _SAME

    @property
    def title(self) -> str:
        """What is compared, as cells of a table."""
        how = "true" if self.refresh else "false"
        moment = "at the moment of the scrape" if self.together else "between two scrapes"
        return f"{_SCRAPE:g} s | {self.poll:g} s | `{how}` | {moment}"


CASES = tuple(
    Case(refresh, poll, apart)
    for refresh in (False, True)
    for poll in (5.0, 15.0, 60.0)
    for apart in (*_SAME, min(poll, _SCRAPE) / 2)
)


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.aliasing")
    parser.add_argument("--minutes", type=float, default=7.0, help="minutes that are looked at (7)")
    arguments = parser.parse_args()
    logging.disable()
    # Addresses of loopback that nobody else is given a port of meanwhile.
    port = free_port()
    addresses = {f"127.0.1.{number}:{port}": case for number, case in enumerate(CASES, 1)}
    with prometheus(tuple(addresses), interval=_SCRAPE) as asked:
        say("finding out when Prometheus scrapes")
        time.sleep(_SCRAPE + 1)
        errors = asyncio.run(_watch(addresses, asked, arguments.minutes * 60))
    print(_table(addresses, errors))


async def _watch(
    addresses: Mapping[str, Case], asked: Prometheus, seconds: float
) -> Mapping[str, Mapping[str, Sequence[float]]]:
    """Serve every case; return the relative errors by window and address."""
    scrapes = asked.last_scrapes()
    async with contextlib.AsyncExitStack() as stack:
        await asyncio.gather(
            *(
                stack.enter_async_context(_served(address, case, scrapes[address]))
                for address, case in addresses.items()
            )
        )
        began = time.time() + _SCRAPE
        say(f"watching for {(_LONGEST + seconds) / 60:.0f} minutes")
        await asyncio.sleep(_SCRAPE + _LONGEST + seconds)
        return {window: _errors(asked, window, began + _LONGEST) for window in _WINDOWS}


@contextlib.asynccontextmanager
async def _served(address: str, case: Case, scraped: float) -> AsyncIterator[None]:
    """Watch one daemon, beginning at the wanted moment between two scrapes."""
    host, _, port = address.partition(":")
    listen = [ListenAddress(host, int(port))]
    async with simulated_server(clients=[_CLIENT], clock=steady_clock) as daemon:
        config = msgspec.structs.replace(
            from_flags([daemon.address]), poll_interval=case.poll, refresh_on_scrape=case.refresh
        )
        await asyncio.sleep((scraped + case.apart - time.time()) % _SCRAPE)
        async with serving(config, listen=listen, telemetry_path="/metrics"):
            yield


def _errors(asked: Prometheus, window: str, start: float) -> Mapping[str, Sequence[float]]:
    query = f'rate(openvpn_server_client_received_bytes_total{{common_name="steady"}}[{window}])'
    values = asked.values(query, start=start, end=time.time(), step=_STEP)
    return {
        address: [value / _TRUTH - 1 for value in measured] for address, measured in values.items()
    }


def _table(
    addresses: Mapping[str, Case], errors: Mapping[str, Mapping[str, Sequence[float]]]
) -> str:
    """Return a line for each way of polling; what comes together is one way."""
    head = [
        "| scrape | poll | `refresh_on_scrape` | polls come | "
        + " | ".join(f"error of `rate()[{window}]`" for window in _WINDOWS)
        + " |",
        "|---|---|---|---|" + "---|" * len(_WINDOWS),
    ]
    lines = []
    for title in dict.fromkeys(case.title for case in addresses.values()):
        own = [address for address, case in addresses.items() if case.title == title]
        cells = [
            _spread([error for address in own for error in errors[window].get(address, [])])
            for window in _WINDOWS
        ]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join([*head, *lines])


def _spread(errors: Sequence[float]) -> str:
    """Write least, median and greatest, in percent."""
    if not errors:
        return "none"
    points = (min(errors), statistics.median(errors), max(errors))
    return " / ".join(f"{100 * point:+.1f} %" for point in points)


if __name__ == "__main__":
    main()
