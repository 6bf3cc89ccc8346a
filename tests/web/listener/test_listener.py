import asyncio
import contextlib
import resource
from pathlib import Path

import pytest

from exporter.web.listener import http, listener
from exporter.web.listener.connection import HttpConnection
from exporter.web.listener.http import MAX_HEADERS, MAX_LINE_BYTES, SERVER_HEADER
from tests.fake_daemon import TEST_TIMEOUT
from tests.web.certificates import Authority
from tests.web.listener.harness import LARGE, caller, house, rules


class TestPlaces:
    """There are three; each test fills them."""

    @pytest.fixture(autouse=True)
    def three(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listener, "MAX_CONNECTIONS", 3)

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
        monkeypatch.setattr(listener, "MAX_CONNECTIONS", 1 << 20)
        for soft, most in ((1024, 512), (3, 1), (1, 1), (resource.RLIM_INFINITY, 1 << 20)):
            monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
            assert listener._most_guests() == most

    async def test_handshakes_take_places_as_well(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listener, "TLS_HANDSHAKE_TIMEOUT", 1000.0)
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
        assert f"Server: {SERVER_HEADER}\r\n" in head
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
        dismiss = HttpConnection.dismiss

        def dismissed(guest: HttpConnection) -> None:
            dismiss(guest)
            cut.set()

        monkeypatch.setattr(HttpConnection, "dismiss", dismissed)
        monkeypatch.setattr("exporter.web.listener.connection.WRITE_TIMEOUT", 0.01)
        async with house() as served, caller(served.port) as client:
            transport = client.writer.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            await client.ask("/large")
            async with asyncio.timeout(TEST_TIMEOUT):
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
        monkeypatch.setattr(listener, "_RETRY", 0.0)
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
