"""`/-/healthy` and `/-/ready`, for supervisors; neither depends on OpenVPN being up."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

Unready = Callable[[], str | None]
"""Returns the reason why the exporter is not ready, None if it is."""


async def healthy(_: web.Request) -> web.Response:
    """Return 200: the exporter answers requests."""
    return web.Response(text="Healthy.\n")


def ready_handler(unready: Unready) -> Handler:
    """Return the handler that answers 503 until all daemons were polled, or if one no longer is."""

    async def ready(_: web.Request) -> web.Response:
        reason = unready()
        if reason is None:
            return web.Response(text="Ready.\n")
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=f"Not ready: {reason}.\n")

    return ready
