"""The composition root: the only module that knows all parts."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence

import msgspec
from aiohttp import web

from exporter import __version__
from exporter.aio import begin_in_turn
from exporter.config import Config, check_losses
from exporter.config.target import ReloadDiff, Target, targets
from exporter.log import Level, event
from exporter.metrics import catalogue
from exporter.metrics.expected_clients import ExpectedClientLines
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.monitor.certificate_pool import CertificatePool
from exporter.monitor.monitor import Monitor
from exporter.monitor.pki_pool import PkiPool
from exporter.monitor.pool import MonitorPool
from exporter.monitor.probed_ports import ProbedPorts
from exporter.openvpn_config import Finding
from exporter.reload import ConfigReloader
from exporter.sharing.pool import SharePool
from exporter.state.daemon import DaemonState
from exporter.state.expected_clients import ExpectedClients
from exporter.state.privacy import redacted, redacted_items
from exporter.state.probe_safety import ProbeSafety
from exporter.transport.history import CommandHistory
from exporter.web.auth import PolicyFile, protect
from exporter.web.debug import render_debug
from exporter.web.listener import BoundAddress, ListenAddress, bind, serve
from exporter.web.routes import application
from exporter.web.service_discovery import ExternalUrl

_log = logging.getLogger(__name__)


class RunningApp(msgspec.Struct, frozen=True):
    """The base URL of each address that is served, and how to reload the configuration."""

    urls: tuple[str, ...]
    reload: Callable[[], Awaitable[ReloadDiff]]


@contextlib.asynccontextmanager
async def run_app(
    config: Config,
    *,
    listen: Sequence[ListenAddress] = (),
    systemd_sockets: Sequence[BoundAddress] = (),
    telemetry_path: str,
    web_policy: PolicyFile | None = None,
    load_config: Callable[[], Config] | None = None,
    external_url: ExternalUrl | None = None,
) -> AsyncIterator[RunningApp]:
    """Monitor the daemons and serve their metrics until the end of the block.

    Args:
        config: the configuration to start with.
        listen: addresses to bind.
        systemd_sockets: addresses that systemd has bound.
        telemetry_path: the path of the metrics.
        web_policy: TLS, users, headers and limits; none by default.
        load_config: loads the configuration for a reload; by default `config` stays.
        external_url: the URL under which Prometheus reaches the exporter, if it is another.

    Raises:
        OSError: an address can't be bound.
    """
    app = _App(config)
    web_policy = web_policy or PolicyFile()
    load_config = load_config or (lambda: config)
    reload = ConfigReloader(app.safe_load(load_config), app.apply_config, app.self_metrics)
    endpoints = app.web_application(telemetry_path, reload, external_url)
    protect(endpoints, web_policy)
    addresses = (*systemd_sockets, *await bind(listen))
    async with app.lifespan(config), serve(addresses, endpoints, web_policy):
        encrypted = web_policy.current.tls is not None
        urls = tuple(address.url(encrypted=encrypted) for address in addresses)
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
            app.pool.stop()  # sessions with daemons and HTTP clients end at the same time
            app.probed_ports.stop()
            app.certificates.stop()
            app.pki.stop()


class _App:
    """The parts that do not depend on the web server: monitors, and what is shown of them."""

    def __init__(self, config: Config) -> None:
        self.self_metrics = SelfMetrics()
        self.probed_ports = ProbedPorts()
        self.expected_clients = ExpectedClients()
        self.exposition = Exposition(
            catalogue.families(config.clients),
            self.self_metrics.registry,
            lambda: self.probed_ports.ports,
            expected_clients=ExpectedClientLines(self.expected_clients),
        )
        self.pool = MonitorPool(self._monitor, self._other_tasks)
        self.certificates = CertificatePool()
        self.pki = PkiPool()
        self.shares = SharePool()
        self._config = config
        self._logged_findings: frozenset[Finding] = frozenset()

    @contextlib.asynccontextmanager
    async def lifespan(self, config: Config) -> AsyncIterator[None]:
        """Monitor the daemons until the end of the block."""
        await self.apply_config(config)
        self.self_metrics.reload_succeeded(time.time())
        try:
            yield
        finally:
            parts = (self.shares, self.pool, self.certificates, self.pki, self.probed_ports)
            await asyncio.gather(*(part.close() for part in parts))

    def web_application(
        self, telemetry_path: str, reload: ConfigReloader, external_url: ExternalUrl | None
    ) -> web.Application:
        """Return the HTTP endpoints."""
        return application(
            lambda: self.pool.daemons,
            self.exposition,
            telemetry_path=telemetry_path,
            refresh=self.refresh,
            reload=reload,
            poll=self.poll,
            debug=self.debug,
            config_yaml=self.config_yaml,
            external_url=external_url,
            unready=self.pool.readiness_error,
        )

    def safe_load(self, load_config: Callable[[], Config]) -> Callable[[], Config]:
        """Return a function that refuses a configuration without daemons that got lost."""

        def load() -> Config:
            config = load_config()
            check_losses(self._config, config)
            return config

        return load

    async def apply_config(self, config: Config) -> ReloadDiff:
        """Apply a configuration; return what changes."""
        await self._log_findings(config.findings)
        skipped = {finding.daemon for finding in config.findings if finding.blocks}
        self.self_metrics.set_skipped_daemons(len(skipped))
        self._config = config
        # What the daemons that are about to be removed know of expected clients stays.
        await self.exposition.prerender_expected_clients(self.pool.daemons)
        changes = await self.pool.apply(targets(config))
        await self.certificates.apply(self.pool.daemons)
        await self.pki.apply(self.pool.daemons)
        await self.shares.apply(self.pool.monitors)
        self.self_metrics.set_daemons(len(self.pool.daemons))
        await self.probed_ports.apply(config.port_probes)
        # After that: text under the previous privacy must not be rendered again meanwhile.
        self.expected_clients.configure(config)
        await self.exposition.configure(catalogue.families(config.clients))
        return changes

    async def refresh(self, daemons: Sequence[DaemonState], max_wait: float) -> None:
        """Poll daemons for a scrape, if `refresh_on_scrape` is set."""
        if self._config.refresh_on_scrape:
            await self.poll(daemons, max_wait)

    async def poll(self, daemons: Sequence[DaemonState], max_wait: float) -> None:
        """Poll daemons whose status is old."""
        await self.pool.refresh((daemon.name for daemon in daemons), max_wait=max_wait)

    def debug(self, daemon: DaemonState) -> str:
        """Return the last commands sent to a daemon, with their replies."""
        now = asyncio.get_running_loop().time()
        monitor = self.pool.monitor(daemon.name)
        history = monitor.history if monitor else CommandHistory()
        return render_debug(daemon, history, self._config.clients, now=now)

    def config_yaml(self) -> str:
        """Return the effective configuration as YAML, client names under their privacy."""
        from exporter.config.dump import to_yaml  # noqa: PLC0415 -- see `cli.options.load_config`

        config = self._config
        daemons = tuple(redacted(daemon, config.clients) for daemon in config.daemons)
        expected = redacted_items(config)
        return to_yaml(msgspec.structs.replace(config, daemons=daemons, expected_clients=expected))

    async def _log_findings(self, findings: Sequence[Finding]) -> None:
        """Log the findings of discovery, each once."""
        for finding in findings:
            if finding in self._logged_findings:
                continue
            await begin_in_turn()  # each daemon may have one
            level = Level.ERROR if finding.blocks else Level.WARN
            message = "daemon skipped" if finding.blocks else "configuration warning"
            event(_log, level, message, daemon=finding.daemon, kind=finding.kind, finding=finding)
        self._logged_findings = frozenset(findings)

    def _monitor(self, target: Target, stagger: float) -> Monitor:
        return Monitor(target, on_updated=self.exposition.prerender, stagger=stagger)

    def _other_tasks(
        self, daemon: DaemonState, stagger: float
    ) -> Iterator[Coroutine[None, None, None]]:
        # What most daemons do not have is imported for the first one that has it.
        if daemon.target.daemon.status_file is not None:
            from exporter.monitor.status_file_poller import StatusFilePoller  # noqa: PLC0415

            poller = StatusFilePoller(daemon, on_updated=self.exposition.prerender)
            yield poller.run(stagger)
        if (plan := daemon.target.daemon.probe_plan) is not None:
            from exporter.monitor.port_prober import PortProber  # noqa: PLC0415

            skip_check = ProbeSafety(daemon, plan).skip_reason
            yield PortProber(daemon, plan, skip_check=skip_check).run(stagger)
