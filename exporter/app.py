"""Puts everything together: the only module that knows all parts."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence

import msgspec

from exporter import __version__
from exporter.certificates.source import sources
from exporter.config import Config
from exporter.config.dump import show
from exporter.config.reload_diff import Plan
from exporter.config.target import Watch, watches
from exporter.log import Level, event
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import OwnMetrics
from exporter.monitor.monitor import Monitor
from exporter.monitor.pool import Fleet
from exporter.monitor.status_file import FilePolls
from exporter.openvpn_config.findings import Finding
from exporter.reload import Reload
from exporter.state.daemon import Record
from exporter.state.privacy import disguised
from exporter.transport.history import Dialogue
from exporter.transport.status_file import StatusFile
from exporter.web.auth import Rules, guard
from exporter.web.debug import debug_text
from exporter.web.listener import ListenAddress, Place, open_door
from exporter.web.listener import listen as listen_at
from exporter.web.routes import application
from exporter.web.service_discovery import ExternalUrl

_log = logging.getLogger(__name__)


class Serving(msgspec.Struct, frozen=True):
    """What is being served: base URLs, one an address, and how to reload the configuration."""

    urls: tuple[str, ...]
    reload: Callable[[], Awaitable[Plan]]


@contextlib.asynccontextmanager
async def serving(
    config: Config,
    *,
    listen: Sequence[ListenAddress] = (),
    inherited: Sequence[Place] = (),
    telemetry_path: str,
    rules: Rules | None = None,
    read: Callable[[], Config] | None = None,
    external: ExternalUrl | None = None,
) -> AsyncIterator[Serving]:
    """Watch the daemons and serve their metrics until the block is left.

    It is served at the addresses and at the inherited places, to whom the rules let in. `read`
    reads the configuration again when a reload is wanted; without it there is no other.
    `external` is where Prometheus finds us, where that is elsewhere.

    Raises:
        OSError: an address can't be listened on.
    """
    watching = _Watching(config)
    reload = Reload(read or (lambda: config), watching.apply, watching.own)
    web = application(
        lambda: watching.fleet.records,
        watching.exposition,
        telemetry_path=telemetry_path,
        refresh=watching.refresh,
        reload=reload,
        poll=watching.poll,
        debug=watching.debug,
        config=watching.show,
        external=external,
        unready=watching.fleet.unready,
    )
    rules = rules or Rules()
    guard(web, rules)
    places = (*inherited, *await listen_at(listen))
    async with watching.running(config) as stop, open_door(places, web, rules):
        urls = tuple(place.url(encrypted=rules.policy.tls is not None) for place in places)
        event(
            _log,
            Level.INFO,
            "serving",
            version=__version__,
            daemons=len(config.daemons),
            urls=" ".join(urls),
        )
        try:
            yield Serving(urls, reload)
        finally:
            stop()  # daemons and clients are left at the same time


class _Watching:
    """What goes on whoever is served: the daemons, and what is shown of them."""

    def __init__(self, config: Config) -> None:
        self.own = OwnMetrics()
        self.exposition = Exposition(catalogue.families(config.clients), self.own.registry)
        self.fleet = Fleet(self._monitor, self._errands)
        self._config = config
        self._told: frozenset[Finding] = frozenset()

    @contextlib.asynccontextmanager
    async def running(self, config: Config) -> AsyncIterator[Callable[[], None]]:
        """Watch while the block runs; give what begins to leave the daemons before its end."""
        await self.apply(config)
        self.own.config_accepted(time.time())
        try:
            yield self.fleet.stop
        finally:
            await self.fleet.close()

    async def apply(self, config: Config) -> Plan:
        """Put a configuration into force."""
        self._tell(config.findings)
        blocked = {finding.daemon for finding in config.findings if finding.blocks}
        self.own.discovered(not_watched=len(blocked))
        self._config = config
        plan = await self.fleet.watch(watches(config))
        # After that: text of who is shown otherwise now must not be made again meanwhile.
        self.exposition.configure(catalogue.families(config.clients))
        return plan

    async def refresh(self, records: Sequence[Record], patience: float) -> None:
        """Have daemons polled for a scrape, if that is wanted."""
        if self._config.refresh_on_scrape:
            await self.poll(records, patience)

    async def poll(self, records: Sequence[Record], patience: float) -> None:
        """Have daemons polled whose readings are old."""
        await self.fleet.refresh((record.name for record in records), patience=patience)

    def debug(self, record: Record) -> str:
        """Tell what was said between us and a daemon."""
        now = asyncio.get_running_loop().time()
        monitor = self.fleet.monitor(record.name)
        dialogue = monitor.dialogue if monitor else Dialogue()
        return debug_text(record, dialogue, self._config.clients, now=now)

    def show(self) -> str:
        """Return the configuration that is in force, as YAML; clients as they may be shown."""
        config = self._config
        daemons = tuple(disguised(daemon, config.clients) for daemon in config.daemons)
        return show(msgspec.structs.replace(config, daemons=daemons))

    def _tell(self, findings: Sequence[Finding]) -> None:
        """Log what was noticed while discovering, each thing once."""
        for finding in findings:
            if finding in self._told:
                continue
            level = Level.ERROR if finding.blocks else Level.WARN
            message = "daemon is not watched" if finding.blocks else "look at this configuration"
            event(_log, level, message, daemon=finding.daemon, kind=finding.kind, finding=finding)
        self._told = frozenset(findings)

    def _monitor(self, watch: Watch, phase: float) -> Monitor:
        return Monitor(
            watch.daemon,
            watch.clients,
            watch.events,
            poll_interval=watch.poll_interval,
            prepare=self.exposition.prepare,
            phase=phase,
        )

    def _errands(
        self, watch: Watch, record: Record, phase: float
    ) -> Iterator[Coroutine[None, None, None]]:
        daemon = watch.daemon
        if daemon.status_file is not None:
            yield FilePolls(
                daemon,
                record,
                StatusFile(daemon.status_file, timeout=daemon.timeout),
                routes=watch.clients.routes,
                prepare=self.exposition.prepare,
            ).run(watch.poll_interval, phase)
        if files := sources(daemon):
            # A library that not everybody has, and few need, is loaded here at the earliest.
            from exporter.certificates.watch import watch_files  # noqa: PLC0415

            yield watch_files(files, record.certified, phase)
