"""`/config`: the configuration that is in force, defaults included. It holds no secret."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.aio import SingleFlight


def handler(config: Callable[[], str]) -> Handler:
    """Return the handler; `config` gives the YAML, of a thousand daemons in half a second."""
    written = SingleFlight(config)

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=await written(), content_type="application/yaml")

    return show
