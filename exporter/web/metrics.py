"""The page of metrics: its format, restriction and compression are the request's choice."""

from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.daemon.record import Record
from exporter.metrics.exposition import Exposition
from exporter.web.compression import accepts_gzip


def handler(records: Callable[[], Sequence[Record]], exposition: Exposition) -> Handler:
    """Return the handler of a page of these records."""

    async def metrics(request: web.Request) -> web.Response:
        return page_response(request, records(), exposition)

    return metrics


def page_response(
    request: web.Request, records: Sequence[Record], exposition: Exposition
) -> web.Response:
    """Return these records as the request wants them."""
    page = exposition.page(
        records, accept=_header(request, "Accept"), names=request.query.getall("name[]", [])
    )
    response = web.Response(body=page.body, headers={"Content-Type": page.content_type})
    if accepts_gzip(_header(request, "Accept-Encoding")):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _header(request: web.Request, name: str) -> str:
    """Return a header whose lists may be spread over several lines."""
    return ",".join(request.headers.getall(name, []))
