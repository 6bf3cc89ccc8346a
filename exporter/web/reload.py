"""`/-/reload`: read the configuration again, as SIGHUP does."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.config import ConfigError
from exporter.config.reload_diff import ReloadDiff


def handler(reload: Callable[[], Awaitable[ReloadDiff]]) -> Handler:
    """Return the handler; it answers when the new configuration is in force, or why it is not."""

    async def handle(_: web.Request) -> web.Response:
        try:
            plan = await reload()
        except ConfigError as error:
            return web.Response(
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
                text=f"The configuration can't be used; the last one stays in force.\n{error}\n",
            )
        return web.Response(text=f"Reloaded: {plan}.\n")

    return handle
