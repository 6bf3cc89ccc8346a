"""Puts everything together: the only module that knows all parts."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from exporter import __version__
from exporter.config import Config
from exporter.daemon import demand
from exporter.daemon.monitor import Monitor
from exporter.daemon.record import Record
from exporter.log import Level, event
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.metrics.own import OwnMetrics
from exporter.web.access import Rules, guard
from exporter.web.listening import ListenAddress, Place, open_door
from exporter.web.listening import listen as listen_at
from exporter.web.refreshing import Refresh, no_refresh
from exporter.web.server import application

_log = logging.getLogger(__name__)


class Serving(msgspec.Struct, frozen=True):
    """What is being served: base URLs, one an address."""

    urls: tuple[str, ...]


@contextlib.asynccontextmanager
async def serving(
    config: Config,
    *,
    listen: Sequence[ListenAddress] = (),
    inherited: Sequence[Place] = (),
    telemetry_path: str,
    rules: Rules | None = None,
) -> AsyncIterator[Serving]:
    """Watch the daemons and serve their metrics until the block is left.

    It is served at the addresses and at the inherited places, to whom the rules let in.

    Raises:
        OSError: an address can't be listened on.
    """
    _tell(config)
    own = OwnMetrics()
    own.config_accepted(time.time())
    exposition = Exposition(catalogue.families(config.clients), own.registry)
    monitors = _monitors(config, exposition)
    records = [monitor.record for monitor in monitors]
    web = application(
        lambda: records,
        exposition,
        telemetry_path=telemetry_path,
        refresh=_refresh(monitors) if config.refresh_on_scrape else no_refresh,
    )
    rules = rules or Rules()
    guard(web, rules)
    places = (*inherited, *await listen_at(listen))
    async with _running(monitors) as stop, open_door(places, web, rules):
        urls = tuple(place.url(encrypted=rules.policy.tls is not None) for place in places)
        event(
            _log,
            Level.INFO,
            "serving",
            version=__version__,
            daemons=len(monitors),
            urls=" ".join(urls),
        )
        try:
            yield Serving(urls)
        finally:
            stop()  # daemons and clients are left at the same time


@contextlib.asynccontextmanager
async def _running(monitors: Sequence[Monitor]) -> AsyncIterator[Callable[[], None]]:
    """Give what stops them; leaving the block stops them as well, and waits until they have."""
    tasks = [asyncio.create_task(monitor.run()) for monitor in monitors]

    running = tasks.copy()

    def stop() -> None:
        # Each once: a second time would cut a farewell short.
        while running:
            running.pop().cancel()

    try:
        yield stop
    finally:
        stop()
        await asyncio.gather(*tasks, return_exceptions=True)


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
