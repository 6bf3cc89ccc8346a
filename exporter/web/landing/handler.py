"""The endpoint `/`."""

from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.state.daemon import DaemonState
from exporter.web.compression import accepts_gzip
from exporter.web.landing.page import CONTENT_SECURITY_POLICY, Link, landing_page

_ELSEWHERE = (
    Link("config", "Configuration"),
    Link("sd", "Service discovery"),
    Link("-/healthy", "Health"),
    Link("-/ready", "Readiness"),
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # The page is as of its moment; and names are nobody's business on the way.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


def handler(records: Callable[[], Sequence[DaemonState]], telemetry_path: str) -> Handler:
    """Return the handler of the page."""
    links = (Link(telemetry_path.removeprefix("/"), "Metrics"), *_ELSEWHERE)

    async def landing(request: web.Request) -> web.Response:
        page = landing_page(records(), links)
        response = web.Response(text=page, content_type="text/html", headers=_HEADERS)
        if accepts_gzip(request.headers.get("Accept-Encoding", "")):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    return landing
