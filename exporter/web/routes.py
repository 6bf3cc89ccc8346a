"""The table of routes. Every client that passes authentication can read everything served here."""

import importlib
import re
from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.aio import SingleFlight
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.web import health, metrics, probe, service_discovery
from exporter.web.configuration import Reload, config_handler, reload_handler
from exporter.web.metrics import Refresh, no_refresh
from exporter.web.pages import static
from exporter.web.pages.frame import Frame, Link

_RESERVED_PATHS = frozenset({"/probe", "/sd", "/config"})
_RESERVED_FOLDERS = ("/-/", "/api/", "/daemons/", "/docs/", "/static/")

_API = "/api/v1/daemons"
_NAME = "{name:[^/]+}"
"""A daemon's name in a path, percent-encoded; by default aiohttp excludes braces."""

_LINKS = (
    Link(_API.removeprefix("/"), "JSON"),
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
        get("/", _on_demand("landing.handler", daemons, frame))
    get(f"/daemons/{_NAME}", _on_demand("daemon_page.handler", daemons, frame))
    get("/docs", _redirect_to_docs)
    get("/docs/", _on_demand("docs.handler", frame))
    get("/docs/{name}", _on_demand("docs.handler", frame))
    get(f"{static.PATH}/{{file}}", static.handle)
    get("/probe", probe.handler(daemons, exposition, poll=poll, debug=debug))
    get(_API, _on_demand("api.list_handler", daemons))
    get(f"{_API}/{_NAME}", _on_demand("api.daemon_handler", daemons))
    get("/sd", service_discovery.handler(daemons, external_url))
    get("/config", config_handler(config_yaml))
    get("/-/healthy", health.healthy)
    get("/-/ready", health.ready_handler(unready))
    if reload is not None:
        handle_reload = reload_handler(reload)
        application.router.add_post("/-/reload", handle_reload)
        application.router.add_put("/-/reload", handle_reload)
    return application


async def _redirect_to_docs(_: web.Request) -> web.Response:
    """Redirect to the index, whose links are relative to `/docs/`."""
    raise web.HTTPPermanentRedirect("docs/")


def _on_demand(name: str, *arguments: object) -> Handler:
    """Return the handler that a function of `exporter.web` makes, imported for the first request.

    Pages and JSON are for people and take half a MiB: scrapes need none of it.
    """
    module, _, function = f"exporter.web.{name}".rpartition(".")
    load = SingleFlight[Handler](
        lambda: getattr(importlib.import_module(module), function)(*arguments)
    )
    loaded: list[Handler] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        if not loaded:
            loaded.append(await load())
        return await loaded[0](request)

    return handle


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
