"""HTTP over one connection: aiohttp's, within our limits, and telling nobody what it is made of."""

import asyncio
import logging

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

SERVER_HEADER = "openvpn-exporter"
"""What the header `Server` says. Versions are nobody's business who isn't let in."""

KEEP_ALIVE = 330.0
"""Seconds that a connection may rest between requests; a little more than Prometheus keeps one."""

MAX_LINE_BYTES = 8190
"""Longest request line, and longest header."""

MAX_HEADERS = 100


def request_handler(server: web.Server) -> asyncio.Protocol:
    """Return what answers the requests of one connection by what `server` serves."""
    return _Http(
        server,
        loop=asyncio.get_running_loop(),
        access_log=None,  # type: ignore[arg-type]  # its own runner says so
        logger=_log,
        keepalive_timeout=KEEP_ALIVE,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        max_headers=MAX_HEADERS,
    )


class _Http(web.RequestHandler):
    __slots__ = ()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a response, also one to what was no request at all."""
        resp.headers[hdrs.SERVER] = SERVER_HEADER
        return await super().finish_response(request, resp, start_time)


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Tell whether an error is worth a line; what clients say wrong fills none, nor shows it."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_log = logging.getLogger(__name__)
_log.addFilter(_is_our_fault)
