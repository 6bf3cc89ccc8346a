import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from aiohttp.typedefs import Handler

from exporter.web.listener import connection
from exporter.web.listener.connection import HttpConnection, track_requests
from tests.fake_daemon import TEST_TIMEOUT


class RecordingProtocol(asyncio.Protocol):
    """Records the events that it gets."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        self.events.append(data)

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")


class FakeTls(NamedTuple):
    """A TLS object whose peer has this certificate."""

    certificate: Mapping[str, object] | None

    def getpeercert(self) -> Mapping[str, object] | None:
        return self.certificate


class FakeTransport(asyncio.Transport):
    """A transport without a socket."""

    def __init__(self, tls: FakeTls | None = None) -> None:
        super().__init__({"ssl_object": tls})
        self.is_aborted = False
        self.limits: tuple[int | None, int | None] = (None, None)

    def abort(self) -> None:
        self.is_aborted = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)


class Pair(NamedTuple):
    """A connection, between its transport and its HTTP protocol."""

    connection: HttpConnection
    transport: FakeTransport
    http: RecordingProtocol
    connections: set[HttpConnection]


def connect(
    transport: FakeTransport | None = None, *, allowed_sans: frozenset[str] = frozenset()
) -> Pair:
    transport, http, connections = (
        transport or FakeTransport(),
        RecordingProtocol(),
        set[HttpConnection](),
    )
    connection = HttpConnection(http, allowed_sans=allowed_sans, connections=connections)
    connection.connection_made(transport)
    return Pair(connection, transport, http, connections)


@pytest.fixture
def immediate_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_TIMEOUT", 0.0)
    monkeypatch.setattr(connection, "WRITE_TIMEOUT", 0.0)


async def expire_timers() -> None:
    """Run the callbacks that are due."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(0.0, passed.set)
    await passed.wait()


@pytest.mark.usefixtures("immediate_timeouts")
class TestTimeouts:
    async def test_a_connection_without_a_request_is_aborted(self) -> None:
        pair = connect()
        await expire_timers()
        assert pair.transport.is_aborted

    async def test_single_bytes_do_not_restart_the_header_timer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "HEADER_TIMEOUT", 0.02)
        pair = connect()
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        while not pair.transport.is_aborted:
            pair.connection.data_received(b"G")
            assert loop.time() < started_at + TEST_TIMEOUT
            await expire_timers()

    async def test_a_request_in_progress_has_no_timeout(self) -> None:
        pair = connect()
        pair.connection.request_started()
        await expire_timers()
        assert not pair.transport.is_aborted

    async def test_a_request_body_starts_no_timer(self) -> None:
        pair = connect()
        pair.connection.request_started()
        pair.connection.data_received(b"body")
        await expire_timers()
        assert not pair.transport.is_aborted

    async def test_an_idle_connection_is_kept_and_its_next_request_has_a_timeout(self) -> None:
        pair = connect()
        pair.connection.request_started()
        pair.connection.request_finished()
        await expire_timers()
        assert not pair.transport.is_aborted
        pair.connection.data_received(b"G")
        await expire_timers()
        assert pair.transport.is_aborted

    async def test_a_response_that_is_not_read_aborts_the_connection(self) -> None:
        pair = connect()
        pair.connection.request_started()
        pair.connection.pause_writing()
        await expire_timers()
        assert pair.transport.is_aborted

    async def test_a_response_that_was_read_cancels_the_write_timer(self) -> None:
        pair = connect()
        pair.connection.request_started()
        pair.connection.pause_writing()
        pair.connection.resume_writing()
        await expire_timers()
        assert not pair.transport.is_aborted

    async def test_a_closed_connection_cancels_its_timers(self) -> None:
        pair = connect()
        pair.connection.pause_writing()
        pair.connection.connection_lost(None)
        await expire_timers()
        assert not pair.transport.is_aborted
        assert pair.connections == set()


async def test_the_protocol_gets_all_events() -> None:
    pair = connect()
    assert pair.connections == {pair.connection}
    pair.connection.data_received(b"GET")
    pair.connection.pause_writing()
    pair.connection.resume_writing()
    pair.connection.connection_lost(None)
    assert pair.http.events == ["made", b"GET", "pause", "resume", "lost"]


async def test_a_single_unsent_byte_pauses_writing() -> None:
    assert connect().transport.limits == (1, 0)


async def test_a_connection_is_idle_except_during_a_request() -> None:
    pair = connect()
    seen = [pair.connection.idle_since]
    pair.connection.request_started()
    seen.append(pair.connection.idle_since)
    pair.connection.request_finished()
    seen.append(pair.connection.idle_since)
    assert [moment is None for moment in seen] == [False, True, False]


async def test_an_aborted_connection_is_not_idle() -> None:
    pair = connect()
    pair.connection.abort()
    assert pair.connection.idle_since is None


ALLOWED_SANS = frozenset({"vpn.example.org", "2001:db8::1", "spiffe://x/y"})


@pytest.mark.parametrize(
    "san",
    [
        ("DNS", "vpn.example.org"),
        ("IP Address", "2001:DB8:0:0:0:0:0:1"),
        ("URI", "spiffe://x/y"),
    ],
)
async def test_a_certificate_with_an_allowed_san_is_accepted(san: tuple[str, str]) -> None:
    certificate = {"subjectAltName": (("DNS", "other"), san)}
    pair = connect(FakeTransport(FakeTls(certificate)), allowed_sans=ALLOWED_SANS)
    assert not pair.transport.is_aborted
    assert pair.http.events == ["made"]


@pytest.mark.parametrize(
    "tls",
    [
        None,
        FakeTls(None),
        FakeTls({}),
        FakeTls({"subjectAltName": (("DNS", "VPN.example.org"), ("DNS", "example.org"))}),
        FakeTls({"subject": ((("commonName", "vpn.example.org"),),)}),
    ],
)
async def test_any_other_client_is_aborted_before_its_data_is_read(tls: FakeTls | None) -> None:
    pair = connect(FakeTransport(tls), allowed_sans=ALLOWED_SANS)
    assert pair.transport.is_aborted
    pair.connection.data_received(b"GET / HTTP/1.1\r\n\r\n")
    pair.connection.eof_received()
    pair.connection.connection_lost(None)
    assert pair.http.events == []
    assert pair.connections == set()


async def test_requests_are_answered_by_other_servers_too(
    aiohttp_client: Callable[..., Awaitable[TestClient[web.Request, web.Application]]],
) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/", hello)
    track_requests(application)
    client = await aiohttp_client(application)
    assert await (await client.get("/")).text() == "hello"


def test_requests_are_tracked_outside_all_other_middlewares() -> None:
    @web.middleware
    async def other(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request)

    application = web.Application(middlewares=[other])
    track_requests(application)
    assert list(application.middlewares)[1:] == [other]
