"""One connection: how long it may take to ask, and to read what it is given.

aiohttp speaks HTTP over it, but would let a client take hours for a header or an answer.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.web.web_config import canonical

HEADER_TIMEOUT = 10.0
"""Seconds from the first byte of a request, or from the connection, to its last header."""

WRITE_TIMEOUT = 60.0
"""Seconds to take an answer; Prometheus gives up after its scrape timeout, 10 by default."""


class HttpConnection(asyncio.Protocol):
    """Stands between a connection and the HTTP server, and watches the clock."""

    def __init__(
        self,
        http: asyncio.Protocol,
        *,
        names: frozenset[str] = frozenset(),
        present: set["HttpConnection"],
    ) -> None:
        """Let `http` speak; where there are `names`, only with clients whose certificate has one.

        It is `present` as long as there is a connection.
        """
        self._http = http
        self._names = names
        self._present = present
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._asking = _Deadline(HEADER_TIMEOUT, self.dismiss)
        self._taking = _Deadline(WRITE_TIMEOUT, self.dismiss)
        self._is_welcome = False
        self.idle_since: float | None = self._loop.time()
        """When it last was waited for; None while it is being answered."""

    def dismiss(self) -> None:
        """Hang up at once, whatever is unsent."""
        self.idle_since = None
        # Python 3.11 loses hold of a TLS connection that was closed twice; it ends by itself.
        with contextlib.suppress(AttributeError):
            if self._transport is not None:
                self._transport.abort()

    def asked(self) -> None:
        """Note that a request is there with all its headers."""
        self.idle_since = None
        self._asking.stop()

    def answered(self) -> None:
        """Note that the answer to a request is ready to be sent."""
        self.idle_since = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or hang up on a stranger."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- a stream socket has one
        self._transport = transport
        self._present.add(self)
        self._is_welcome = not self._names or _has_one_of(self._names, transport)
        if not self._is_welcome:
            self.dismiss()
            return
        # Whatever is unsent pauses writing: that is how it is seen. 0 would pause TLS for good.
        transport.set_write_buffer_limits(high=1, low=0)
        self._asking.start()
        self._http.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what the client says."""
        if not self._is_welcome:
            return
        if self.idle_since is not None:
            self._asking.start()
        self._http.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass on that the client says nothing more."""
        return self._http.eof_received() if self._is_welcome else None

    def pause_writing(self) -> None:
        """Begin to wait for the client to take its answer."""
        self._taking.start()
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Note that the client has it all."""
        self._taking.stop()
        self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._present.discard(self)
        self._asking.stop()
        self._taking.stop()
        if self._is_welcome:
            self._http.connection_lost(exc)


def track_requests(application: web.Application) -> None:
    """Let guests know when a request of theirs begins and ends; outermost of all."""
    application.middlewares.insert(0, _attend)


@web.middleware
async def _attend(request: web.Request, handler: Handler) -> web.StreamResponse:
    guest = request.transport.get_protocol() if request.transport is not None else None
    if not isinstance(guest, HttpConnection):
        return await handler(request)
    guest.asked()
    try:
        return await handler(request)
    finally:
        guest.answered()


class _Deadline:
    """Calls a function, unless it is stopped in time; what runs already isn't started again."""

    def __init__(self, seconds: float, missed: Callable[[], None]) -> None:
        self._seconds = seconds
        self._missed = missed
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._missed)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _has_one_of(names: frozenset[str], transport: asyncio.Transport) -> bool:
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert() if tls is not None else None
    found = certificate.get("subjectAltName", ()) if certificate else ()
    return any(canonical(str(value)) in names for _, value in map(tuple, found))
