"""The endpoint `/docs/NAME`; the index is `/docs/`."""

import functools

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.aio import run_in_daemon_thread
from exporter.web.docs import library
from exporter.web.pages.frame import Frame, html_response
from exporter.web.pages.html import element

_ROOT = "../"

_NAMES = library.names()


def handler(frame: Frame) -> Handler:
    """Return the handler of all pages."""

    async def show(request: web.Request) -> web.Response:
        name = request.match_info.get("name", library.INDEX)
        if name not in _NAMES:
            raise web.HTTPNotFound
        page = await run_in_daemon_thread(functools.partial(library.read, name))
        main = element("article", page.content, class_="text")
        return html_response(request, frame.page(page.title, main, root=_ROOT))

    return show
