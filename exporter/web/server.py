"""Routes and handlers. Whoever can reach the port can read everything served here."""

from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.daemon.record import Record
from exporter.metrics.exposition import Exposition
from exporter.web.landing import landing_page

Records = Callable[[], Sequence[Record]]
"""Gives the records of all daemons; asked anew for each request."""


def application(
    records: Records, exposition: Exposition, *, telemetry_path: str
) -> web.Application:
    """Return the web application; it starts nothing by itself."""

    async def metrics(request: web.Request) -> web.Response:
        page = exposition.page(
            records(),
            accept=request.headers.get("Accept", ""),
            names=request.query.getall("name[]", []),
        )
        response = web.Response(body=page.body, headers={"Content-Type": page.content_type})
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    async def landing(_: web.Request) -> web.Response:
        page = landing_page(records(), telemetry_path)
        return web.Response(text=page, content_type="text/html", headers=_PAGE_HEADERS)

    application = web.Application()
    application.router.add_get(telemetry_path, metrics)
    if telemetry_path != "/":
        application.router.add_get("/", landing)
    application.router.add_get("/-/healthy", _say("Healthy."))
    application.router.add_get("/-/ready", _say("Ready."))
    return application


# The page needs neither script nor frame nor anything from elsewhere.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


def _say(sentence: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text=f"{sentence}\n")

    return handler
