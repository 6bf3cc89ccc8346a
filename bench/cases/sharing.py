"""Tools that share the session with a daemon of 1,000 clients: latency, CPU time, commands."""

import contextlib
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.benchmark import SampleSizes
from bench.children import ObservedExporter, free_port, observed_exporter, simulated_daemons
from bench.management_tool import ManagementTool, poll_each_second
from bench.process import cpu_seconds
from bench.report import progress
from bench.result import MILLI, Result, at_most, format_ms, format_ratio, format_spread
from bench.scraper import PATH, Scraper

_CLIENTS = 1_000
_TOOLS = 10
_LATENCY_LIMIT = 1.0
_HOLD_LIMIT = 20.0
_MAX_AGE = 5.0


def measure(sizes: SampleSizes) -> list[Result]:
    """Measure one tool directly, then through the exporter, then ten of them."""
    with simulated_daemons(clients=_CLIENTS) as (address,):
        progress("status 3, directly")
        with ManagementTool(address) as tool:
            direct = [tool.ask("status 3") for _ in range(sizes.scrapes)]
        with _sharing(address) as (exporter, shared):
            progress("status 3, through the exporter")
            with ManagementTool(shared) as tool:
                through = [tool.ask("status 3") for _ in range(sizes.scrapes)]
            return [_latency(direct, through), *_polled(exporter, shared, sizes)]


@contextlib.contextmanager
def _sharing(address: str) -> Iterator[tuple[ObservedExporter, str]]:
    """Run an exporter that shares the daemon; yield it, and the address for tools."""
    shared = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory, "config.yaml")
        config.write_text(
            "daemons:\n"
            f"  - {{name: office, management: '{address}', share: {{listen: ['{shared}']}}}}\n"
        )
        flags = ("--config.file", str(config), "--web.listen-address", f"127.0.0.1:{free_port()}")
        with observed_exporter(flags, Path(directory, "log")) as exporter:
            with Scraper(exporter.url) as scraper:
                scraper.wait_for_poll(polls=1)
            yield exporter, shared


def _latency(direct: list[float], through: list[float]) -> Result:
    ratio = statistics.median(through) / statistics.median(direct)
    return Result(
        name=f"shared 'status 3' of {_CLIENTS:,} clients",
        measured=format_spread(through),
        reference=f"the simulated daemon itself {format_spread(direct)}",
        ratio=format_ratio(ratio),
        limit=at_most(ratio, _LATENCY_LIMIT, "x"),
    )


def _polled(exporter: ObservedExporter, shared: str, sizes: SampleSizes) -> Iterator[Result]:
    with Scraper(exporter.url) as scraper:
        for tools in (0, _TOOLS):
            progress(f"{tools} tools, a page each second")
            exporter.observe()
            cpu, forwarded = cpu_seconds(exporter.pid), _forwarded(scraper)
            poll_each_second(shared, tools, sizes.hostile_seconds)
            cpu = (cpu_seconds(exporter.pid) - cpu) / sizes.hostile_seconds
            forwarded = _forwarded(scraper) - forwarded
            hold = exporter.observe().hold
            title = f"{tools} tools, a page each second"
            yield Result(
                name=f"{title}: CPU time of the exporter in a second", measured=format_ms(cpu)
            )
            yield Result(
                name=f"{title}: longest hold of the event loop",
                measured=format_ms(hold),
                limit=at_most(hold * MILLI, _HOLD_LIMIT, "ms"),
            )
            # Each of four commands at the start, and once in `max_age`.
            most = 4 * (1 + sizes.hostile_seconds / _MAX_AGE)
            yield Result(
                name=f"{title}: commands that the daemon got for them",
                measured=f"{forwarded:.0f}",
                limit=at_most(forwarded, most, ""),
            )


def _forwarded(scraper: Scraper) -> int:
    """Return how many commands were sent to the daemon for tools."""
    body = scraper.scrape(f"{PATH}?name[]=openvpn_exporter_shared_commands_total").body
    lines = [line for line in body.splitlines() if b'outcome="forwarded"' in line]
    return sum(int(float(line.rpartition(b" ")[2])) for line in lines)
