"""`/-/healthy` and `/-/ready`, for supervisors; neither depends on OpenVPN being up."""

from aiohttp import web


async def healthy(_: web.Request) -> web.Response:
    """Answer as long as requests are answered at all."""
    return web.Response(text="Healthy.\n")


async def ready(_: web.Request) -> web.Response:
    """Answer once scrapes can be answered."""
    return web.Response(text="Ready.\n")
