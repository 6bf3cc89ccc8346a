import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from exporter.web.listener import connection
from exporter.web.listener.connection import HttpConnection, track_requests
from tests.fake_daemon import TEST_TIMEOUT


class Http(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")


class Tls(NamedTuple):
    """The end of a handshake with a client that has this certificate."""

    certificate: Mapping[str, object] | None

    def getpeercert(self) -> Mapping[str, object] | None:
        return self.certificate


class Wire(asyncio.Transport):
    """A connection that goes nowhere."""

    def __init__(self, tls: Tls | None = None) -> None:
        super().__init__({"ssl_object": tls})
        self.is_cut = False
        self.limits: tuple[int | None, int | None] = (None, None)

    def abort(self) -> None:
        self.is_cut = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)


class Visit(NamedTuple):
    """A guest, and both its sides."""

    guest: HttpConnection
    wire: Wire
    http: Http
    present: set[HttpConnection]


def come(wire: Wire | None = None, *, names: frozenset[str] = frozenset()) -> Visit:
    wire, http, present = wire or Wire(), Http(), set[HttpConnection]()
    guest = HttpConnection(http, names=names, present=present)
    guest.connection_made(wire)
    return Visit(guest, wire, http, present)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_TIMEOUT", 0.0)
    monkeypatch.setattr(connection, "WRITE_TIMEOUT", 0.0)


async def time_passes() -> None:
    """Let whatever is due by now happen."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(0.0, passed.set)
    await passed.wait()


@pytest.mark.usefixtures("impatient")
class TestDeadlines:
    async def test_who_asks_nothing_is_cut_off(self) -> None:
        visit = come()
        await time_passes()
        assert visit.wire.is_cut

    async def test_who_says_a_byte_now_and_then_is_cut_off_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "HEADER_TIMEOUT", 0.02)
        visit = come()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while not visit.wire.is_cut:
            visit.guest.data_received(b"G")
            assert loop.time() < begun + TEST_TIMEOUT
            await time_passes()

    async def test_who_has_asked_may_wait_for_the_answer(self) -> None:
        visit = come()
        visit.guest.asked()
        await time_passes()
        assert not visit.wire.is_cut

    async def test_a_body_may_follow_while_it_is_answered(self) -> None:
        visit = come()
        visit.guest.asked()
        visit.guest.data_received(b"body")
        await time_passes()
        assert not visit.wire.is_cut

    async def test_who_was_answered_may_rest_but_begin_no_request_without_end(self) -> None:
        visit = come()
        visit.guest.asked()
        visit.guest.answered()
        await time_passes()
        assert not visit.wire.is_cut
        visit.guest.data_received(b"G")
        await time_passes()
        assert visit.wire.is_cut

    async def test_who_does_not_take_the_answer_is_cut_off(self) -> None:
        visit = come()
        visit.guest.asked()
        visit.guest.pause_writing()
        await time_passes()
        assert visit.wire.is_cut

    async def test_who_has_taken_it_is_not(self) -> None:
        visit = come()
        visit.guest.asked()
        visit.guest.pause_writing()
        visit.guest.resume_writing()
        await time_passes()
        assert not visit.wire.is_cut

    async def test_who_has_left_is_no_longer_waited_for(self) -> None:
        visit = come()
        visit.guest.pause_writing()
        visit.guest.connection_lost(None)
        await time_passes()
        assert not visit.wire.is_cut
        assert visit.present == set()


async def test_the_server_hears_all_of_it() -> None:
    visit = come()
    assert visit.present == {visit.guest}
    visit.guest.data_received(b"GET")
    visit.guest.pause_writing()
    visit.guest.resume_writing()
    visit.guest.connection_lost(None)
    assert visit.http.told == ["made", b"GET", "pause", "resume", "lost"]


async def test_a_single_unsent_byte_is_noticed() -> None:
    assert come().wire.limits == (1, 0)


async def test_idleness_ends_with_a_request_and_begins_with_its_answer() -> None:
    visit = come()
    seen = [visit.guest.idle_since]
    visit.guest.asked()
    seen.append(visit.guest.idle_since)
    visit.guest.answered()
    seen.append(visit.guest.idle_since)
    assert [moment is None for moment in seen] == [False, True, False]


NAMES = frozenset({"vpn.example.org", "2001:db8::1", "spiffe://x/y"})


@pytest.mark.parametrize(
    "name",
    [
        ("DNS", "vpn.example.org"),
        ("IP Address", "2001:DB8:0:0:0:0:0:1"),
        ("URI", "spiffe://x/y"),
    ],
)
async def test_a_client_with_an_allowed_name_is_let_in(name: tuple[str, str]) -> None:
    certificate = {"subjectAltName": (("DNS", "other"), name)}
    visit = come(Wire(Tls(certificate)), names=NAMES)
    assert not visit.wire.is_cut
    assert visit.http.told == ["made"]


@pytest.mark.parametrize(
    "tls",
    [
        None,
        Tls(None),
        Tls({}),
        Tls({"subjectAltName": (("DNS", "VPN.example.org"), ("DNS", "example.org"))}),
        Tls({"subject": ((("commonName", "vpn.example.org"),),)}),
    ],
)
async def test_any_other_client_is_cut_off_before_it_is_heard(tls: Tls | None) -> None:
    visit = come(Wire(tls), names=NAMES)
    assert visit.wire.is_cut
    visit.guest.data_received(b"GET / HTTP/1.1\r\n\r\n")
    visit.guest.eof_received()
    visit.guest.connection_lost(None)
    assert visit.http.told == []
    assert visit.present == set()


async def test_requests_are_answered_without_guests_as_well(
    aiohttp_client: Callable[..., Awaitable[TestClient[web.Request, web.Application]]],
) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/", hello)
    track_requests(application)
    client = await aiohttp_client(application)
    assert await (await client.get("/")).text() == "hello"
