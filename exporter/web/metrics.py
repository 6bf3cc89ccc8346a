"""`/metrics`: the request chooses format, metric names, compression, and how long it waits.

Responses are sent in chunks: no copy of a page of megabytes is made.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiohttp import Payload, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.typedefs import Handler

from exporter.aio import run_cooperatively, yield_to_loop
from exporter.metrics.exposition import Exposition
from exporter.metrics.gzip_page import gzip_page
from exporter.metrics.page import slices
from exporter.state.daemon import DaemonState

TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"

DEFAULT_TIMEOUT = 10.0
"""Seconds for a request without the header: Prometheus' own default of `scrape_timeout`."""

TIMEOUT_OFFSET = 0.5
"""Seconds of the scrape timeout that are kept for rendering and sending the page."""

_CHUNKS_AT_ONCE = 8
"""Chunks that are made and written at once: 2 MB."""

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_QUALITY_ZERO = re.compile(r"\s*q\s*=\s*0(\.0{0,3})?\s*", re.IGNORECASE)

Refresh = Callable[[Sequence[DaemonState], float], Awaitable[None]]
"""Polls the daemons whose status is old; waits at most the given seconds."""


async def no_refresh(_: Sequence[DaemonState], __: float) -> None:
    """Keep the last status."""


def handler(
    daemons: Callable[[], Sequence[DaemonState]], exposition: Exposition, refresh: Refresh
) -> Handler:
    """Return the handler of a page of all daemons."""

    async def metrics(request: web.Request) -> web.Response:
        return await page_response(request, daemons(), exposition, refresh=refresh)

    return metrics


async def page_response(
    request: web.Request,
    daemons: Sequence[DaemonState],
    exposition: Exposition,
    *,
    refresh: Refresh,
    include_self: bool = True,
) -> web.Response:
    """Return a page of these daemons in the format that the request accepts, after a refresh.

    With `include_self` the exporter's own metrics follow.
    """
    await refresh(daemons, scrape_timeout(request))
    page = await run_cooperatively(
        exposition.page_in_turns(
            daemons,
            accept=_header(request, hdrs.ACCEPT),
            names=request.query.getall("name[]", []),
            include_self=include_self,
        )
    )
    if not accepts_gzip(_header(request, hdrs.ACCEPT_ENCODING)):
        size = await run_cooperatively(page.size())
        return web.Response(body=ChunkedPayload(page.slices, size, page.content_type))
    chunks = await run_cooperatively(gzip_page(page))
    size = sum(map(len, chunks))
    return web.Response(
        body=ChunkedPayload(lambda: slices(chunks), size, page.content_type),
        headers={hdrs.CONTENT_ENCODING: "gzip"},
    )


def _header(request: web.Request, name: str) -> str:
    """Return the value of a header; a list may be spread over several headers of one name."""
    return ",".join(request.headers.getall(name, []))


def scrape_timeout(request: web.Request) -> float:
    """Return the seconds that a scrape may wait; an invalid header is ignored."""
    match = _SECONDS.fullmatch(request.headers.get(TIMEOUT_HEADER, "").strip())
    seconds = float(match[0]) if match else DEFAULT_TIMEOUT
    return max(0.0, seconds - TIMEOUT_OFFSET)


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether `Accept-Encoding` names gzip and doesn't refuse it by `q=0` (RFC 9110).

    `*` alone doesn't count: a client that prefers gzip names it.
    """
    for coding in accept_encoding.split(","):
        name, *parameters = coding.split(";")
        if name.strip().lower() == "gzip":
            return not any(map(_QUALITY_ZERO.fullmatch, parameters))
    return False


class ChunkedPayload(Payload):
    """A response body that is written in chunks, each when most of the former ones are sent.

    While the socket takes everything, it yields to the event loop every few milliseconds.
    """

    def __init__(
        self, chunks: Callable[[], Iterable[bytes | memoryview]], size: int, content_type: str
    ) -> None:
        """Send what `chunks` returns, which has `size` bytes."""
        super().__init__(chunks, content_type=content_type)
        self._size = size

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send the body."""
        for number, chunk in enumerate(self._value(), 1):
            await writer.write(chunk)
            if number % _CHUNKS_AT_ONCE == 0:
                await yield_to_loop()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text."""
        return b"".join(self._value()).decode(encoding, errors)
