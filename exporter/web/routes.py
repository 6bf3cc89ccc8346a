"""The table of routes. Whoever can reach the port can read everything served here."""

import re
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from exporter.config.reload_diff import ReloadDiff
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.web import config_endpoint, health, landing, metrics, probe, service_discovery
from exporter.web.reload import handler as reloading_handler
from exporter.web.scrape_timeout import Refresh, no_refresh

Records = Callable[[], Sequence[DaemonState]]
"""Gives the records of all daemons; asked anew for each request."""


Reload = Callable[[], Awaitable[ReloadDiff]]
"""Reads the configuration again; raises ConfigError."""


def application(
    records: Records,
    exposition: Exposition,
    *,
    telemetry_path: str,
    refresh: Refresh = no_refresh,
    unready: health.Unready = lambda: None,
    reload: Reload | None = None,
    poll: Refresh = no_refresh,
    debug: probe.Debug = lambda record: record.name,
    config: Callable[[], str] = str,
    external: service_discovery.ExternalUrl | None = None,
) -> web.Application:
    """Return the web application; it starts nothing by itself."""
    application = web.Application()
    application.router.add_get(telemetry_path, metrics.handler(records, exposition, refresh))
    if telemetry_path != "/":
        application.router.add_get("/", landing.handler(records, telemetry_path))
    probing = probe.handler(records, exposition, poll=poll, debug=debug)
    application.router.add_get("/probe", probing)
    application.router.add_get("/sd", service_discovery.handler(records, external))
    application.router.add_get("/config", config_endpoint.handler(config))
    application.router.add_get("/-/healthy", health.healthy)
    application.router.add_get("/-/ready", health.ready(unready))
    if reload is not None:
        reloading = reloading_handler(reload)
        application.router.add_post("/-/reload", reloading)
        application.router.add_put("/-/reload", reloading)
    return application


def check_telemetry_path(path: str) -> str:
    """Return a path that the metrics can have.

    Raises:
        ValueError: it is none; the text says how to write one.
    """
    if _PATH.fullmatch(path) is None:
        raise ValueError(f"{path!r} is no path for the metrics; write one such as /metrics")
    if path.startswith("/-/") or path in _TAKEN:
        raise ValueError(f"{path!r} is kept for something else; write a path such as /metrics")
    return path


_TAKEN = frozenset({"/probe", "/sd", "/config"})

_PATH = re.compile(r"/|(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
"""Plain segments: nothing that a router or a browser reads as something else."""
