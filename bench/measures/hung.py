"""A thousand daemons of which one in ten hangs: whether the others are polled as often as ever."""

import time
from collections.abc import Sequence

from bench.children import exporter, free_port, mute, simulated
from bench.effort import Effort
from bench.figures import Figure, at_least, mebibytes
from bench.process import footprint
from bench.progress import say
from bench.scraper import Scraper

_HEALTHY = 900
_HUNG = 100
_CLIENTS = 10
_INTERVAL = 15.0
_LEAST = 98.0
_OF = f"{_HUNG} of {_HEALTHY + _HUNG:,} daemons hang"
_POLLS = "openvpn_exporter_polls_total"
_FAILURES = "openvpn_exporter_poll_failures_total"


def measure(effort: Effort) -> list[Figure]:
    """Count the polls that are answered in a while."""
    say(f"{_HEALTHY + _HUNG:,} daemons come up, {_HUNG} of them mute")
    with simulated(servers=_HEALTHY, clients=_CLIENTS) as healthy, mute(_HUNG) as hung:
        return _watch(_mixed(healthy, hung), effort.fleet_seconds)


def _mixed(healthy: Sequence[str], hung: Sequence[str]) -> list[str]:
    """Put those that hang between the others."""
    each = len(healthy) // len(hung)
    return [
        address
        for place, one in enumerate(hung)
        for address in (one, *healthy[place * each : (place + 1) * each])
    ]


def _watch(addresses: Sequence[str], seconds: float) -> list[Figure]:
    with exporter(addresses, free_port()) as process, Scraper(process.url) as scraper:
        scraper.wait_until_answered()
        time.sleep(2 * _INTERVAL)  # until each has been asked twice, in vain or not
        before, started = _answered(scraper), time.monotonic()
        memory = footprint(process.pid).resident
        time.sleep(seconds)
        answered, elapsed = _answered(scraper) - before, time.monotonic() - started
        grown = footprint(process.pid).resident - memory
    due = _HEALTHY * elapsed / _INTERVAL
    share = 100 * answered / due
    return [
        Figure(
            what=f"{_OF}: polls of the others that are answered in time",
            measured=f"{share:.1f} %",
            reference=f"{answered:.0f} in {elapsed:.0f} s",
            bound=at_least(share, _LEAST, "%"),
        ),
        Figure(
            what=f"{_OF}: memory",
            measured=mebibytes(memory),
            reference=f"{mebibytes(grown)} more after {elapsed:.0f} s",
        ),
    ]


def _answered(scraper: Scraper) -> float:
    return scraper.total(_POLLS) - scraper.total(_FAILURES)
