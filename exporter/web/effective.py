"""`/config`: the configuration that is in force, defaults included. It holds no secret."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler


def handler(config: Callable[[], str]) -> Handler:
    """Return the handler; `config` gives the YAML."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=config(), content_type="application/yaml")

    return show
