"""1,000 daemons of which every tenth hangs: whether the others are polled on time."""

import time
from collections.abc import Sequence

from bench.benchmark import SampleSizes
from bench.children import exporter_process, free_port, hung_servers, simulated_daemons
from bench.process import footprint
from bench.report import progress
from bench.result import Result, at_least, format_mib
from bench.scraper import Scraper

_HEALTHY = 900
_HUNG = 100
_CLIENTS = 10
_INTERVAL = 15.0
_LIMIT = 98.0
_TITLE = f"{_HUNG} of {_HEALTHY + _HUNG:,} daemons hang"
_POLLS = "openvpn_exporter_polls_total"
_FAILURES = "openvpn_exporter_poll_failures_total"


def measure(sizes: SampleSizes) -> list[Result]:
    """Count the successful polls over a while."""
    progress(f"{_HEALTHY + _HUNG:,} daemons, {_HUNG} of them hung: starting")
    with (
        simulated_daemons(servers=_HEALTHY, clients=_CLIENTS) as healthy,
        hung_servers(_HUNG) as hung,
    ):
        return _measure(_mix(healthy, hung), sizes.fleet_seconds)


def _mix(healthy: Sequence[str], hung: Sequence[str]) -> list[str]:
    """Distribute the hung daemons evenly between the others."""
    each = len(healthy) // len(hung)
    return [
        address
        for index, address_of_hung in enumerate(hung)
        for address in (address_of_hung, *healthy[index * each : (index + 1) * each])
    ]


def _measure(addresses: Sequence[str], seconds: float) -> list[Result]:
    with exporter_process(addresses, free_port()) as process, Scraper(process.url) as scraper:
        scraper.wait_until_ready()
        time.sleep(2 * _INTERVAL)  # until every daemon was polled twice, successfully or not
        before, started_at = _successful_polls(scraper), time.monotonic()
        memory = footprint(process.pid).resident
        time.sleep(seconds)
        successful, elapsed = _successful_polls(scraper) - before, time.monotonic() - started_at
        grown = footprint(process.pid).resident - memory
    due = _HEALTHY * elapsed / _INTERVAL
    share = 100 * successful / due
    return [
        Result(
            name=f"{_TITLE}: successful polls of the others, of those due",
            measured=f"{share:.1f} %",
            reference=f"{successful:.0f} in {elapsed:.0f} s",
            limit=at_least(share, _LIMIT, "%"),
        ),
        Result(
            name=f"{_TITLE}: memory",
            measured=format_mib(memory),
            reference=f"{format_mib(grown)} growth in {elapsed:.0f} s",
        ),
    ]


def _successful_polls(scraper: Scraper) -> float:
    return scraper.total(_POLLS) - scraper.total(_FAILURES)
