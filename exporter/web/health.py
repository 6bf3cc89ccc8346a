"""`/-/healthy` and `/-/ready`, for supervisors; neither depends on OpenVPN being up."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

Unready = Callable[[], str | None]
"""Says in one sentence why not to rely on what is shown; None where all is well."""


async def healthy(_: web.Request) -> web.Response:
    """Answer as long as requests are answered at all."""
    return web.Response(text="Healthy.\n")


def ready(unready: Unready) -> Handler:
    """Return the handler that answers 503 until all were asked, and once one no longer is."""

    async def ready(_: web.Request) -> web.Response:
        sentence = unready()
        if sentence is None:
            return web.Response(text="Ready.\n")
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=f"Not ready: {sentence}.\n")

    return ready
