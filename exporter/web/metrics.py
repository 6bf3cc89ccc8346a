"""The page of metrics: its format, restriction and compression are the request's choice."""

from collections.abc import Callable, Sequence

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from exporter.metrics.exposition import Exposition
from exporter.metrics.gzip_page import gzip_page
from exporter.metrics.page import Page
from exporter.state.daemon import DaemonState
from exporter.web.body import ChunkedPayload
from exporter.web.compression import accepts_gzip
from exporter.web.scrape_timeout import Refresh, scrape_timeout


def handler(
    records: Callable[[], Sequence[DaemonState]], exposition: Exposition, refresh: Refresh
) -> Handler:
    """Return the handler of a page of these records."""

    async def metrics(request: web.Request) -> web.Response:
        return await page_response(request, records(), exposition, refresh=refresh)

    return metrics


async def page_response(
    request: web.Request,
    records: Sequence[DaemonState],
    exposition: Exposition,
    *,
    refresh: Refresh,
    own: bool = True,
) -> web.Response:
    """Return these records as the request wants them, after a refresh of theirs.

    `own` tells whether the exporter's own metrics follow.
    """
    await refresh(records, scrape_timeout(request))
    await exposition.prerender(*records)
    page = exposition.page(
        records,
        accept=_header(request, "Accept"),
        names=request.query.getall("name[]", []),
        include_self=own,
    )
    if accepts_gzip(_header(request, "Accept-Encoding")):
        return await _packed(page)
    return web.Response(
        body=ChunkedPayload(page.slices, size=page.size, content_type=page.content_type)
    )


async def _packed(page: Page) -> web.Response:
    packed = await gzip_page(page)
    return web.Response(
        body=ChunkedPayload(
            lambda: packed, size=sum(map(len, packed)), content_type=page.content_type
        ),
        headers={hdrs.CONTENT_ENCODING: "gzip"},
    )


def _header(request: web.Request, name: str) -> str:
    """Return a header whose lists may be spread over several lines."""
    return ",".join(request.headers.getall(name, []))
