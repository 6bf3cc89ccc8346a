"""Puts everything together: the only module that knows all parts."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence

import msgspec
from aiohttp import web

from exporter import __version__
from exporter.config import Config
from exporter.daemon import demand
from exporter.daemon.monitor import Monitor
from exporter.daemon.record import Record
from exporter.log import Level, event
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.metrics.own import OwnMetrics
from exporter.web.listening import ListenAddress, everywhere
from exporter.web.refreshing import Refresh, no_refresh
from exporter.web.server import application

SHUTDOWN_TIMEOUT = 0.5
"""Seconds that requests under way get at the end."""

_log = logging.getLogger(__name__)


class Serving(msgspec.Struct, frozen=True):
    """What is being served: base URLs, one an address."""

    urls: tuple[str, ...]


@contextlib.asynccontextmanager
async def serving(
    config: Config, *, listen: Sequence[ListenAddress], telemetry_path: str
) -> AsyncIterator[Serving]:
    """Watch the daemons and serve their metrics until the block is left.

    Raises:
        OSError: an address can't be listened on.
    """
    _tell(config)
    own = OwnMetrics()
    own.config_accepted(time.time())
    exposition = Exposition(catalogue.families(config.clients), own.registry)
    monitors = _monitors(config, exposition)
    records = [monitor.record for monitor in monitors]
    runner = web.AppRunner(
        application(
            lambda: records,
            exposition,
            telemetry_path=telemetry_path,
            refresh=_refresh(monitors) if config.refresh_on_scrape else no_refresh,
        ),
        access_log=None,
        shutdown_timeout=SHUTDOWN_TIMEOUT,
    )
    await runner.setup()
    tasks = [asyncio.create_task(monitor.run()) for monitor in monitors]
    try:
        urls = tuple([await _listen(runner, address) for address in listen])
        event(
            _log,
            Level.INFO,
            "serving",
            version=__version__,
            daemons=len(monitors),
            urls=" ".join(urls),
        )
        yield Serving(urls)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(runner.cleanup(), *tasks, return_exceptions=True)


def _tell(config: Config) -> None:
    """Log what was noticed while discovering, once."""
    for finding in config.findings:
        level = Level.ERROR if finding.blocks else Level.WARN
        message = "daemon is not watched" if finding.blocks else "look at this configuration"
        event(_log, level, message, daemon=finding.daemon, kind=finding.kind, finding=finding)


def _monitors(config: Config, exposition: Exposition) -> list[Monitor]:
    return [
        Monitor(
            daemon,
            config.clients,
            config.events,
            poll_interval=daemon.poll_interval or config.poll_interval,
            prepare=exposition.prepare,
            phase=index / len(config.daemons),
        )
        for index, daemon in enumerate(config.daemons)
    ]


def _refresh(monitors: Sequence[Monitor]) -> Refresh:
    demands = {monitor.record.name: monitor.demand for monitor in monitors}

    async def refresh(records: Sequence[Record], patience: float) -> None:
        await demand.refresh([demands[record.name] for record in records], patience=patience)

    return refresh


async def _listen(runner: web.AppRunner, address: ListenAddress) -> str:
    """Listen at one more address; return its URL, where port 0 has become the real one."""
    known = len(runner.addresses)
    site = (
        web.SockSite(runner, everywhere(address.port))
        if address.host is None
        else web.TCPSite(runner, address.host, address.port)
    )
    await site.start()
    _, port, *_ = runner.addresses[known]
    host = address.host or "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
