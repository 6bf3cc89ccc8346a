"""One connection: aiohttp's HTTP, with limits, timeouts and a check of the client's certificate.

aiohttp alone lets a client take hours for a header or for reading a response.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from exporter.web.web_config import canonical_san

HEADER_TIMEOUT = 10.0
"""Seconds from the first byte of a request, or from the connection, to its last header."""

WRITE_TIMEOUT = 60.0
"""Seconds to read a response; Prometheus gives up after its scrape timeout, 10 by default."""

KEEP_ALIVE = 330.0
"""Seconds that a connection may be idle between requests; Prometheus keeps one for 300."""

MAX_LINE_BYTES = 8190
"""Longest request line, and longest header."""

MAX_HEADERS = 100

SERVER_HEADER = "openvpn-exporter"
"""Value of the header `Server`. Do not disclose versions to unauthenticated clients."""

DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Headers of every response, unless the endpoint or the web configuration sets them."""


class HttpConnection(asyncio.Protocol):
    """Passes the events of a connection to the HTTP protocol, and enforces the timeouts."""

    def __init__(
        self,
        http: asyncio.Protocol,
        *,
        allowed_sans: frozenset[str] = frozenset(),
        connections: set["HttpConnection"],
    ) -> None:
        """Serve `http`; with `allowed_sans`, only to clients whose certificate has one of them.

        The connection is in `connections` while it is open.
        """
        self._http = http
        self._allowed_sans = allowed_sans
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._header_timer = _Timer(HEADER_TIMEOUT, self.abort)
        self._write_timer = _Timer(WRITE_TIMEOUT, self.abort)
        self._is_authorized = False
        self.idle_since: float | None = self._loop.time()
        """Since when the connection waits for a request; None while one is processed."""

    def abort(self) -> None:
        """Close the connection at once; unsent data is lost."""
        self.idle_since = None
        # In Python 3.11, the TLS transport of a closed connection raises AttributeError.
        with contextlib.suppress(AttributeError):
            if self._transport is not None:
                self._transport.abort()

    def request_started(self) -> None:
        """Record that all headers of a request have arrived."""
        self.idle_since = None
        self._header_timer.cancel()

    def request_finished(self) -> None:
        """Record that the response to a request is ready to be sent."""
        self.idle_since = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the header timer; abort if the certificate has no allowed SAN."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- a stream socket has one
        self._transport = transport
        self._connections.add(self)
        self._is_authorized = not self._allowed_sans or _has_san(transport, self._allowed_sans)
        if not self._is_authorized:
            self.abort()
            return
        # A single unsent byte pauses writing, which starts the write timer. A limit of 0 would
        # pause TLS for good.
        transport.set_write_buffer_limits(high=1, low=0)
        self._header_timer.start()
        self._http.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass data on; the first bytes of a request start the header timer."""
        if not self._is_authorized:
            return
        if self.idle_since is not None:
            self._header_timer.start()
        self._http.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass on that the client sends no more."""
        return self._http.eof_received() if self._is_authorized else None

    def pause_writing(self) -> None:
        """Start the write timer: the client has not read all of its response."""
        self._write_timer.start()
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Cancel the write timer: the client has read all of its response."""
        self._write_timer.cancel()
        self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers, and pass on that the connection is closed."""
        self._connections.discard(self)
        self._header_timer.cancel()
        self._write_timer.cancel()
        if self._is_authorized:
            self._http.connection_lost(exc)


class _Timer:
    """Calls `on_timeout` once after some seconds; a second `start` does not restart it."""

    def __init__(self, seconds: float, on_timeout: Callable[[], None]) -> None:
        self._seconds = seconds
        self._on_timeout = on_timeout
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._on_timeout)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


def _has_san(transport: asyncio.Transport, allowed_sans: frozenset[str]) -> bool:
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert() if tls is not None else None
    sans = certificate.get("subjectAltName", ()) if certificate else ()
    return any(canonical_san(str(value)) in allowed_sans for _, value in map(tuple, sans))


def track_requests(application: web.Application) -> None:
    """Report the start and end of each request to its connection, outside all middlewares."""
    application.middlewares.insert(0, _track)


@web.middleware
async def _track(request: web.Request, handler: Handler) -> web.StreamResponse:
    connection = request.transport.get_protocol() if request.transport is not None else None
    if not isinstance(connection, HttpConnection):
        return await handler(request)
    connection.request_started()
    try:
        return await handler(request)
    finally:
        connection.request_finished()


def request_handler(server: web.Server) -> asyncio.Protocol:
    """Return the HTTP protocol of one connection, which serves the application of `server`."""
    return _RequestHandler(
        server,
        loop=asyncio.get_running_loop(),
        access_log=None,  # type: ignore[arg-type]  # its own runner passes None
        logger=_log,
        keepalive_timeout=KEEP_ALIVE,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        max_headers=MAX_HEADERS,
    )


class _RequestHandler(web.RequestHandler):
    __slots__ = ()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a response, also one to a malformed request, with our headers."""
        resp.headers[hdrs.SERVER] = SERVER_HEADER
        for name, value in DEFAULT_HEADERS.items():
            resp.headers.setdefault(name, value)
        return await super().finish_response(request, resp, start_time)


def _is_server_error(record: logging.LogRecord) -> bool:
    """Return whether a log record is about the exporter's own error, not a malformed request."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_log = logging.getLogger(__name__)
_log.addFilter(_is_server_error)
