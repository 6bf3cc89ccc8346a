"""`/config` shows the configuration in force; `/-/reload` reads it again, as SIGHUP does.

A page of another site can make a browser send a request to `/-/reload`, which is refused.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.aio import SingleFlight
from exporter.config import ConfigError
from exporter.config.target import ReloadDiff

MAX_PENDING = 16
"""Most requests that wait for a reload: each one holds a connection."""

_SAME_SITE = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` for a request of the exporter's own page, or of the user."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

Reload = Callable[[], Awaitable[ReloadDiff]]
"""Reads the configuration again and applies it; raises ConfigError."""


def config_handler(config_yaml: Callable[[], str]) -> Handler:
    """Return the handler of `/config`.

    `config_yaml` returns the configuration with its defaults and without secrets; a thousand
    daemons take half a second, so it runs in a thread.
    """
    render = SingleFlight(config_yaml)

    async def show_config(_: web.Request) -> web.Response:
        # A browser shows plain text; application/yaml it would save to a file.
        return web.Response(text=await render(), content_type="text/plain")

    return show_config


def reload_handler(reload: Reload) -> Handler:
    """Return the handler of `/-/reload`, which answers when the new configuration is in force."""
    pending = 0

    async def handle_reload(request: web.Request) -> web.Response:
        nonlocal pending
        if is_cross_site(request):
            raise web.HTTPForbidden(text="Cross-site request refused.\n")
        if pending >= MAX_PENDING:
            text = "Too many requests wait for a reload.\n"
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"}, text=text)
        pending += 1
        try:
            return await respond()
        finally:
            pending -= 1

    async def respond() -> web.Response:
        try:
            changes = await reload()
        except ConfigError as error:
            return web.Response(
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
                text=f"Reload failed, keeping the previous configuration:\n{error}\n",
            )
        return web.Response(text=f"Reloaded: {changes}.\n")

    return handle_reload


def is_cross_site(request: web.Request) -> bool:
    """Return whether a browser sent the request for a page of another origin.

    A program such as curl sends neither header.
    """
    host = request.headers.get("Host", "")
    origins = request.headers.getall("Origin", [])
    sites = request.headers.getall("Sec-Fetch-Site", [])
    return not _SAME_SITE.issuperset(sites) or not all(_is_own(origin, host) for origin in origins)


def _is_own(origin: str, host: str) -> bool:
    """Compare host and port; a proxy in front of the exporter may add TLS, another scheme."""
    try:
        theirs = urlsplit(origin)
        ours = urlsplit(f"{theirs.scheme}://{host}")
        default = _DEFAULT_PORTS.get(theirs.scheme)
        addresses = [(url.hostname, url.port or default) for url in (theirs, ours)]
    except ValueError:  # malformed
        return False
    return theirs.hostname is not None and addresses[0] == addresses[1]
