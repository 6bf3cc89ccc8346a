"""A scrape that waits for new readings: as long as its Prometheus does, less a margin."""

import re
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from exporter.state.daemon import DaemonState

HEADER = "X-Prometheus-Scrape-Timeout-Seconds"

DEFAULT = 10.0
"""Seconds for who doesn't say: Prometheus' own default of `scrape_timeout`."""

TIMEOUT_OFFSET = 0.5
"""Seconds kept for rendering the page and its way back."""

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

Refresh = Callable[[Sequence[DaemonState], float], Awaitable[None]]
"""Has these daemons polled where their readings are old, waiting so many seconds at most."""


async def no_refresh(_: Sequence[DaemonState], __: float) -> None:
    """Be content with the last readings."""


def scrape_timeout(request: web.Request) -> float:
    """Return the seconds that a scrape may wait; a header that makes no sense is ignored."""
    written = _SECONDS.fullmatch(request.headers.get(HEADER, "").strip())
    seconds = float(written[0]) if written else DEFAULT
    return max(0.0, seconds - TIMEOUT_OFFSET)
