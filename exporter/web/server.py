"""Routes and handlers. Whoever can reach the port can read everything served here."""

import re
from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.daemon.record import Record
from exporter.metrics.exposition import Exposition
from exporter.web.compression import accepts_gzip
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
            accept=_header(request, "Accept"),
            names=request.query.getall("name[]", []),
        )
        response = web.Response(body=page.body, headers={"Content-Type": page.content_type})
        if accepts_gzip(_header(request, "Accept-Encoding")):
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


def check_telemetry_path(path: str) -> str:
    """Return a path that the metrics can have.

    Raises:
        ValueError: it is none; the text says how to write one.
    """
    if _PATH.fullmatch(path) is None:
        raise ValueError(f"{path!r} is no path for the metrics; write one such as /metrics")
    if path.startswith("/-/"):
        raise ValueError(f"{path!r} is kept for health checks; write a path such as /metrics")
    return path


_PATH = re.compile(r"/|(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
"""Plain segments: nothing that a router or a browser reads as something else."""

# The page needs neither script nor frame nor anything from elsewhere.
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


def _header(request: web.Request, name: str) -> str:
    """Return a header whose lists may be spread over several lines."""
    return ",".join(request.headers.getall(name, []))


def _say(sentence: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text=f"{sentence}\n")

    return handler
