"""The table of routes. Every client that passes authentication can read everything served here."""

import re
from collections.abc import Callable, Sequence

from aiohttp import web

from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.web import api, daemon_page, docs, health, landing, metrics, probe, service_discovery
from exporter.web.configuration import Reload, config_handler, reload_handler
from exporter.web.metrics import Refresh, no_refresh
from exporter.web.pages import static
from exporter.web.pages.frame import Frame, Link

_RESERVED_PATHS = frozenset({"/probe", "/sd", "/config"})
_RESERVED_FOLDERS = ("/-/", "/api/", "/daemons/", "/docs/", "/static/")

_NAME = "{name:[^/]+}"
"""A daemon's name in a path, percent-encoded; by default aiohttp excludes braces."""

_LINKS = (
    Link(api.PATH.removeprefix("/"), "JSON"),
    Link("sd", "Service discovery"),
    Link("config", "Configuration"),
    Link("-/ready", "Readiness"),
    Link("docs/", "Documentation"),
)

_PATH = re.compile(r"/|(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
"""Plain segments, without characters that have a meaning for a router or a browser."""


def application(
    daemons: Callable[[], Sequence[DaemonState]],
    exposition: Exposition,
    *,
    telemetry_path: str,
    refresh: Refresh = no_refresh,
    unready: health.Unready = lambda: None,
    reload: Reload | None = None,
    poll: Refresh = no_refresh,
    debug: probe.Debug = lambda daemon: daemon.name,
    config_yaml: Callable[[], str] = str,
    external_url: service_discovery.ExternalUrl | None = None,
) -> web.Application:
    """Return the web application. `daemons` is called for each request."""
    application = web.Application()
    get = application.router.add_get
    get(telemetry_path, metrics.handler(daemons, exposition, refresh))
    frame = Frame((Link(telemetry_path.removeprefix("/"), "Metrics"), *_LINKS))
    if telemetry_path != "/":
        get("/", landing.handler(daemons, frame))
    get(f"/daemons/{_NAME}", daemon_page.handler(daemons, frame))
    get("/docs", docs.redirect)
    get("/docs/", docs.handler(frame))
    get("/docs/{name}", docs.handler(frame))
    get(f"{static.PATH}/{{file}}", static.handle)
    get("/probe", probe.handler(daemons, exposition, poll=poll, debug=debug))
    get(api.PATH, api.list_handler(daemons))
    get(f"{api.PATH}/{_NAME}", api.daemon_handler(daemons))
    get("/sd", service_discovery.handler(daemons, external_url))
    get("/config", config_handler(config_yaml))
    get("/-/healthy", health.healthy)
    get("/-/ready", health.ready_handler(unready))
    if reload is not None:
        handle_reload = reload_handler(reload)
        application.router.add_post("/-/reload", handle_reload)
        application.router.add_put("/-/reload", handle_reload)
    return application


def check_telemetry_path(path: str) -> str:
    """Return a path that the metrics can have.

    Raises:
        ValueError: the path is invalid or reserved; the text says how to write one.
    """
    if _PATH.fullmatch(path) is None:
        raise ValueError(f"{path!r} is not a valid path; write one such as /metrics")
    if path in _RESERVED_PATHS or f"{path}/".startswith(_RESERVED_FOLDERS):
        raise ValueError(f"{path!r} is reserved; write a path such as /metrics")
    return path
