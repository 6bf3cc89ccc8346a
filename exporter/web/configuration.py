"""`/config` shows the configuration in force; `/-/reload` reads it again, as SIGHUP does."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.aio import SingleFlight
from exporter.config import ConfigError
from exporter.config.target import ReloadDiff

Reload = Callable[[], Awaitable[ReloadDiff]]
"""Reads the configuration again and applies it; raises ConfigError."""


def config_handler(config_yaml: Callable[[], str]) -> Handler:
    """Return the handler of `/config`.

    `config_yaml` returns the configuration with its defaults and without secrets; a thousand
    daemons take half a second, so it runs in a thread.
    """
    render = SingleFlight(config_yaml)

    async def show_config(_: web.Request) -> web.Response:
        return web.Response(text=await render(), content_type="application/yaml")

    return show_config


def reload_handler(reload: Reload) -> Handler:
    """Return the handler of `/-/reload`, which answers when the new configuration is in force."""

    async def handle_reload(_: web.Request) -> web.Response:
        try:
            changes = await reload()
        except ConfigError as error:
            return web.Response(
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
                text=f"Reload failed, keeping the previous configuration:\n{error}\n",
            )
        return web.Response(text=f"Reloaded: {changes}.\n")

    return handle_reload
