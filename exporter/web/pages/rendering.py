"""Pages are rendered one after the other, however many requests there are.

Pages of many requests at the same time would take memory, be ready no sooner, and have a place each
among the daemons that wait for the event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from exporter.web.pages.frame import html_response


class Renderer:
    """Renders the pages of one endpoint."""

    def __init__(self) -> None:
        self._rendering = asyncio.Lock()

    async def response(
        self, request: web.Request, page: Callable[[], Awaitable[str]]
    ) -> web.Response:
        """Return the response with the page that `page` returns, when it is its turn."""
        async with self._rendering:
            if request.transport is None or request.transport.is_closing():
                return web.Response()  # the client has gone: nothing reads the page
            text = await page()
        return html_response(request, text)
