"""Puts everything together: the only module that knows all parts."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence

import msgspec

from exporter import __version__
from exporter.certificates.source import certificate_sources
from exporter.config import Config
from exporter.config.dump import to_yaml
from exporter.config.reload_diff import ReloadDiff
from exporter.config.target import Target, targets
from exporter.log import Level, event
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.monitor.monitor import Monitor
from exporter.monitor.pool import MonitorPool
from exporter.monitor.status_file import StatusFilePoller
from exporter.openvpn_config import Finding
from exporter.reload import ConfigReloader
from exporter.state.daemon import DaemonState
from exporter.state.privacy import redacted
from exporter.transport.history import CommandHistory
from exporter.transport.status_file import StatusFile
from exporter.web.auth import PolicyFile, protect
from exporter.web.debug import render_debug
from exporter.web.listener import BoundAddress, ListenAddress, serve
from exporter.web.listener import bind as listen_at
from exporter.web.routes import application
from exporter.web.service_discovery import ExternalUrl

_log = logging.getLogger(__name__)


class RunningApp(msgspec.Struct, frozen=True):
    """What is being served: base URLs, one an address, and how to reload the configuration."""

    urls: tuple[str, ...]
    reload: Callable[[], Awaitable[ReloadDiff]]


@contextlib.asynccontextmanager
async def run_app(
    config: Config,
    *,
    listen: Sequence[ListenAddress] = (),
    inherited: Sequence[BoundAddress] = (),
    telemetry_path: str,
    rules: PolicyFile | None = None,
    read: Callable[[], Config] | None = None,
    external: ExternalUrl | None = None,
) -> AsyncIterator[RunningApp]:
    """Watch the daemons and serve their metrics until the block is left.

    It is served at the addresses and at the inherited places, to whom the rules let in. `read`
    reads the configuration again when a reload is wanted; without it there is no other.
    `external` is where Prometheus finds us, where that is elsewhere.

    Raises:
        OSError: an address can't be listened on.
    """
    watching = _Watching(config)
    reload = ConfigReloader(read or (lambda: config), watching.apply, watching.own)
    web = application(
        lambda: watching.fleet.daemons,
        watching.exposition,
        telemetry_path=telemetry_path,
        refresh=watching.refresh,
        reload=reload,
        poll=watching.poll,
        debug=watching.debug,
        config_yaml=watching.config_yaml,
        external_url=external,
        unready=watching.fleet.readiness_error,
    )
    rules = rules or PolicyFile()
    protect(web, rules)
    places = (*inherited, *await listen_at(listen))
    async with watching.running(config) as stop, serve(places, web, rules):
        urls = tuple(place.url(encrypted=rules.current.tls is not None) for place in places)
        event(
            _log,
            Level.INFO,
            "serving",
            version=__version__,
            daemons=len(config.daemons),
            urls=" ".join(urls),
        )
        try:
            yield RunningApp(urls, reload)
        finally:
            stop()  # daemons and clients are left at the same time


class _Watching:
    """What goes on whoever is served: the daemons, and what is shown of them."""

    def __init__(self, config: Config) -> None:
        self.own = SelfMetrics()
        self.exposition = Exposition(catalogue.families(config.clients), self.own.registry)
        self.fleet = MonitorPool(self._monitor, self._errands)
        self._config = config
        self._told: frozenset[Finding] = frozenset()

    @contextlib.asynccontextmanager
    async def running(self, config: Config) -> AsyncIterator[Callable[[], None]]:
        """Watch while the block runs; give what begins to leave the daemons before its end."""
        await self.apply(config)
        self.own.reload_succeeded(time.time())
        try:
            yield self.fleet.stop
        finally:
            await self.fleet.close()

    async def apply(self, config: Config) -> ReloadDiff:
        """Put a configuration into force."""
        self._tell(config.findings)
        blocked = {finding.daemon for finding in config.findings if finding.blocks}
        self.own.set_not_watched(len(blocked))
        self._config = config
        plan = await self.fleet.apply(targets(config))
        # After that: text of who is shown otherwise now must not be made again meanwhile.
        self.exposition.configure(catalogue.families(config.clients))
        return plan

    async def refresh(self, records: Sequence[DaemonState], patience: float) -> None:
        """Have daemons polled for a scrape, if that is wanted."""
        if self._config.refresh_on_scrape:
            await self.poll(records, patience)

    async def poll(self, records: Sequence[DaemonState], patience: float) -> None:
        """Have daemons polled whose readings are old."""
        await self.fleet.refresh((record.name for record in records), patience=patience)

    def debug(self, record: DaemonState) -> str:
        """Tell what was said between us and a daemon."""
        now = asyncio.get_running_loop().time()
        monitor = self.fleet.monitor(record.name)
        history = monitor.history if monitor else CommandHistory()
        return render_debug(record, history, self._config.clients, now=now)

    def config_yaml(self) -> str:
        """Return the configuration that is in force, as YAML; clients as they may be shown."""
        config = self._config
        daemons = tuple(redacted(daemon, config.clients) for daemon in config.daemons)
        return to_yaml(msgspec.structs.replace(config, daemons=daemons))

    def _tell(self, findings: Sequence[Finding]) -> None:
        """Log what was noticed while discovering, each thing once."""
        for finding in findings:
            if finding in self._told:
                continue
            level = Level.ERROR if finding.blocks else Level.WARN
            message = "daemon skipped" if finding.blocks else "configuration warning"
            event(_log, level, message, daemon=finding.daemon, kind=finding.kind, finding=finding)
        self._told = frozenset(findings)

    def _monitor(self, watch: Target, phase: float) -> Monitor:
        return Monitor(
            watch.daemon,
            watch.clients,
            watch.events,
            poll_interval=watch.poll_interval,
            prepare=self.exposition.prerender,
            phase=phase,
        )

    def _errands(
        self, watch: Target, record: DaemonState, phase: float
    ) -> Iterator[Coroutine[None, None, None]]:
        daemon = watch.daemon
        if daemon.status_file is not None:
            yield StatusFilePoller(
                daemon,
                record,
                StatusFile(daemon.status_file, timeout=daemon.timeout),
                routes=watch.clients.routes,
                prepare=self.exposition.prerender,
            ).run(watch.poll_interval, phase)
        if files := certificate_sources(daemon):
            # A library that not everybody has, and few need, is loaded here at the earliest.
            from exporter.certificates.watch import watch_files  # noqa: PLC0415

            yield watch_files(files, record.set_certificates, phase)
