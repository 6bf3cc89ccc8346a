import asyncio
import contextlib
import logging
import resource
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web

from exporter.web.access import Rules
from exporter.web.listening import door, http, listen, open_door, parse_listen_address
from exporter.web.listening.guest import Guest
from exporter.web.listening.http import MAX_HEADERS, MAX_LINE_BYTES, NAME
from tests.peers import SAFETY
from tests.web.certificates import Authority

LARGE = b"x" * (8 << 20)
"""More than any socket's buffer takes."""


class House(NamedTuple):
    """An application behind a door, and the port of loopback where it is."""

    port: int
    started: asyncio.Event
    release: asyncio.Event


class Caller(NamedTuple):
    """The other end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, path: str = "/", *headers: str) -> None:
        lines = [f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]
        await self.say("\r\n".join(lines).encode())

    async def say(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def status(self) -> int:
        async with asyncio.timeout(SAFETY):
            head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        await self.reader.readexactly(length)
        return int(head.split()[1])

    async def is_cut_off(self) -> bool:
        """Wait for the end; tell whether nothing was said before it."""
        try:
            async with asyncio.timeout(SAFETY):
                return await self.reader.read() == b""
        except (ConnectionError, ssl.SSLError):
            return True

    async def is_refused(self) -> bool:
        """Ask; tell whether there is no answer."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.ask()
        return await self.is_cut_off()


@contextlib.asynccontextmanager
async def house(rules: Rules | None = None) -> AsyncIterator[House]:
    started, release = asyncio.Event(), asyncio.Event()

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=LARGE)

    async def slow(_: web.Request) -> web.Response:
        started.set()
        await release.wait()
        return web.Response(text="at last")

    application = web.Application()
    for path, handler in (("/", hello), ("/large", large), ("/slow", slow)):
        application.router.add_get(path, handler)
    (place,) = places = await listen([parse_listen_address("127.0.0.1:0")])
    port = place.sockets[0].getsockname()[1]
    async with open_door(places, application, rules or Rules()):
        yield House(port, started, release)


@contextlib.asynccontextmanager
async def caller(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Caller]:
    name = "localhost" if tls else None
    async with asyncio.timeout(SAFETY):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname=name
        )
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority()
    authority.write(tmp_path, "web", "localhost")
    (tmp_path / "ca.crt").write_text(authority.pem)
    return authority


async def rules(directory: Path, more: str = "") -> Rules:
    file = directory / "web.yaml"
    write(file, f"tls_server_config: {{cert_file: web.crt, key_file: web.key{more}}}\n")
    return await asyncio.to_thread(Rules, file, check_interval=0.0)


def write(file: Path, text: str) -> None:
    file.write_text(text)


CLIENTS = ", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert"


class TestTls:
    async def test_is_spoken_with_whom_trusts_the_authority(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        async with (
            house(await rules(tmp_path)) as served,
            caller(served.port, authority.client()) as client,
        ):
            await client.ask()
            assert await client.status() == 200

    async def test_plain_requests_are_refused_and_no_line_is_logged(
        self, tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with house(await rules(tmp_path)) as served, caller(served.port) as client:
            await client.ask()
            assert await client.is_cut_off()
        assert caplog.messages == []

    async def test_clients_without_a_certificate_are_refused_and_no_line_is_logged(
        self, tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with house(await rules(tmp_path, CLIENTS)) as served:
            async with caller(served.port, authority.client()) as stranger:
                assert await stranger.is_refused()
            async with caller(served.port, authority.client("prometheus")) as client:
                await client.ask()
                assert await client.status() == 200
        assert caplog.messages == []

    async def test_a_certificate_of_another_authority_is_refused(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        foreign = Authority().client("prometheus")
        foreign.load_verify_locations(cadata=authority.pem)
        async with (
            house(await rules(tmp_path, CLIENTS)) as served,
            caller(served.port, foreign) as stranger,
        ):
            assert await stranger.is_refused()

    async def test_an_authority_in_between_is_enough(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        between = Authority(authority)
        (tmp_path / "ca.crt").write_text(between.pem)
        client = between.client("prometheus")
        client.load_verify_locations(cadata=authority.pem)
        async with (
            house(await rules(tmp_path, CLIENTS)) as served,
            caller(served.port, client) as known,
        ):
            await known.ask()
            assert await known.status() == 200

    async def test_only_allowed_names_come_in(self, tmp_path: Path, authority: Authority) -> None:
        names = f"{CLIENTS}, client_allowed_sans: [prometheus, 10.1.2.3]"
        async with house(await rules(tmp_path, names)) as served:
            for identity in ("prometheus", "10.1.2.3"):
                async with caller(served.port, authority.client(identity)) as client:
                    await client.ask()
                    assert await client.status() == 200
            async with caller(served.port, authority.client("other")) as stranger:
                assert await stranger.is_refused()

    async def test_a_renewed_certificate_is_shown_to_the_next_connection_alone(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        async with (
            house(await rules(tmp_path)) as served,
            caller(served.port, authority.client()) as early,
        ):
            before = shown(early)
            authority.write(tmp_path, "web", "localhost", "renewed.example.org")
            async with caller(served.port, authority.client()) as late:
                assert shown(late) != before
            await early.ask()
            assert await early.status() == 200

    async def test_can_be_switched_on_while_it_is_served(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        following = await rules(tmp_path)
        write(tmp_path / "web.yaml", "{}\n")
        async with house(following) as served:
            async with caller(served.port) as client:
                await client.ask()
                assert await client.status() == 200
            await rules(tmp_path)
            async with caller(served.port, authority.client()) as client:
                await client.ask()
                assert await client.status() == 200

    async def test_a_handshake_that_stands_still_is_cut_off(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(door, "HANDSHAKE_WITHIN", 0.01)
        async with house(await rules(tmp_path)) as served, caller(served.port) as client:
            await client.say(b"\x16\x03\x01")
            assert await client.is_cut_off()


def shown(client: Caller) -> object:
    tls: ssl.SSLObject = client.writer.get_extra_info("ssl_object")
    return tls.getpeercert(binary_form=True)


class TestPlaces:
    """There are three; each test fills them."""

    @pytest.fixture(autouse=True)
    def three(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(door, "MAX_GUESTS", 3)

    async def test_who_has_been_idle_for_longest_makes_room(self) -> None:
        async with house() as served, contextlib.AsyncExitStack() as stack:
            first, second, third = [
                await stack.enter_async_context(caller(served.port)) for _ in range(3)
            ]
            for client in (first, second, third, first):
                await client.ask()
                assert await client.status() == 200
            fourth = await stack.enter_async_context(caller(served.port))
            assert await second.is_cut_off()
            for client in (first, third, fourth):
                await client.ask()
                assert await client.status() == 200

    async def test_who_is_being_answered_keeps_their_place(self) -> None:
        async with house() as served, contextlib.AsyncExitStack() as stack:
            busy = [await stack.enter_async_context(caller(served.port)) for _ in range(3)]
            for client in busy:
                served.started.clear()
                await client.ask("/slow")
                await served.started.wait()
            late = await stack.enter_async_context(caller(served.port))
            assert await late.is_cut_off()
            served.release.set()
            assert [await client.status() for client in busy] == [200] * 3

    async def test_no_more_are_taken_than_leave_half_of_the_files_to_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(door, "MAX_GUESTS", 1 << 20)
        for soft, most in ((1024, 512), (3, 1), (1, 1), (resource.RLIM_INFINITY, 1 << 20)):
            monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
            assert door._most_guests() == most

    async def test_handshakes_take_places_as_well(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(door, "HANDSHAKE_WITHIN", 1000.0)
        async with (
            house(await rules(tmp_path)) as served,
            contextlib.AsyncExitStack() as stack,
        ):
            silent = [await stack.enter_async_context(caller(served.port)) for _ in range(4)]
            assert await silent[0].is_cut_off()
            client = await stack.enter_async_context(caller(served.port, authority.client()))
            await client.ask()
            assert await client.status() == 200
            assert await silent[1].is_cut_off()


class TestRudeness:
    @pytest.mark.parametrize(
        "request_text",
        [
            b"GET /" + b"x" * MAX_LINE_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 2 * MAX_LINE_BYTES + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: x\r\n" * MAX_HEADERS + b"\r\n",
            b"GET / HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\x00\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"nonsense\r\n\r\n",
        ],
    )
    async def test_is_answered_400_and_fills_no_log(
        self, caplog: pytest.LogCaptureFixture, request_text: bytes
    ) -> None:
        async with house() as served, caller(served.port) as client:
            await client.say(request_text)
            assert await client.status() == 400
        assert caplog.messages == []

    @pytest.mark.parametrize("target", ["/", "/nowhere", "nonsense"])
    async def test_nobody_learns_what_the_server_is_made_of(self, target: str) -> None:
        async with house() as served, caller(served.port) as client:
            await client.ask(target)
            head = (await client.reader.readuntil(b"\r\n\r\n")).decode()
        assert f"Server: {NAME}\r\n" in head
        assert "aiohttp" not in head
        assert "Python" not in head

    async def test_as_many_headers_as_there_may_be_are_read(self) -> None:
        async with house() as served, caller(served.port) as client:
            await client.ask("/", *["A: x"] * (MAX_HEADERS - 1))
            assert await client.status() == 200

    async def test_an_error_of_ours_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        http._log.error("ours", exc_info=RuntimeError("boom"))
        assert caplog.messages == ["ours"]

    async def test_a_page_that_nobody_takes_is_taken_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cut = asyncio.Event()
        dismiss = Guest.dismiss

        def dismissed(guest: Guest) -> None:
            dismiss(guest)
            cut.set()

        monkeypatch.setattr(Guest, "dismiss", dismissed)
        monkeypatch.setattr("exporter.web.listening.guest.ANSWER_WITHIN", 0.01)
        async with house() as served, caller(served.port) as client:
            transport = client.writer.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            await client.ask("/large")
            async with asyncio.timeout(SAFETY):
                await cut.wait()
            transport.resume_reading()
            with contextlib.suppress(ConnectionError):
                assert len(await client.reader.read()) < len(LARGE)

    async def test_a_page_that_is_taken_comes_whole(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        async with (
            house(await rules(tmp_path)) as served,
            caller(served.port, authority.client()) as client,
        ):
            await client.ask("/large", "Connection: close")
            assert await client.status() == 200

    async def test_what_the_machine_has_not_is_tried_again(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        loop = asyncio.get_running_loop()
        accept = loop.sock_accept
        failures = [OSError(24, "Too many open files") for _ in range(3)]

        async def scarce(listening: object) -> object:
            if failures:
                raise failures.pop()
            return await accept(listening)  # type: ignore[arg-type]

        monkeypatch.setattr(loop, "sock_accept", scarce)
        monkeypatch.setattr(door, "_RETRY", 0.0)
        async with house() as served, caller(served.port) as client:
            await client.ask()
            assert await client.status() == 200
        assert caplog.messages == ["cannot take a connection"]


class TestTheEnd:
    async def test_leaves_no_task_and_no_connection(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        before = asyncio.all_tasks()
        async with contextlib.AsyncExitStack() as stack:
            async with house(await rules(tmp_path)) as served:
                answered = await stack.enter_async_context(caller(served.port, authority.client()))
                await answered.ask()
                assert await answered.status() == 200
                half = await stack.enter_async_context(caller(served.port, authority.client()))
                await half.say(b"GET /")
                silent = await stack.enter_async_context(caller(served.port))
            for client in (answered, half, silent):
                assert await client.is_cut_off()
            assert asyncio.all_tasks() == before

    async def test_waits_for_nobody_who_does_not_take_their_answer(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with house() as served:
                client = await stack.enter_async_context(caller(served.port))
                transport = client.writer.transport
                assert isinstance(transport, asyncio.Transport)
                transport.pause_reading()
                await client.ask("/large")
            transport.resume_reading()
            with contextlib.suppress(ConnectionError):
                assert len(await client.reader.read()) < len(LARGE)

    async def test_waits_a_moment_for_requests_under_way(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with house() as served:
                client = await stack.enter_async_context(caller(served.port))
                await client.ask("/slow")
                await served.started.wait()
                asyncio.get_running_loop().call_later(0.05, served.release.set)
            assert await client.status() == 200
