import asyncio
import contextlib
import resource
import ssl
from pathlib import Path

import pytest

from exporter.web.listener import connection, listener
from exporter.web.listener.connection import (
    MAX_HEADERS,
    MAX_LINE_BYTES,
    SERVER_HEADER,
    HttpConnection,
)
from tests.fake_daemon import TEST_TIMEOUT
from tests.web.certificates import Authority
from tests.web.listener.harness import LARGE, raw_client, running_server, tls_policy


class TestConnectionLimit:
    """The limit is three connections; each test reaches it."""

    @pytest.fixture(autouse=True)
    def limit_of_three(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listener, "MAX_CONNECTIONS", 3)

    async def test_closes_the_longest_idle_connection(self) -> None:
        async with running_server() as server, contextlib.AsyncExitStack() as stack:
            first, second, third = [
                await stack.enter_async_context(raw_client(server.port)) for _ in range(3)
            ]
            for client in (first, second, third, first):
                await client.get()
                assert await client.read_status() == 200
            fourth = await stack.enter_async_context(raw_client(server.port))
            assert await second.is_closed()
            for client in (first, third, fourth):
                await client.get()
                assert await client.read_status() == 200

    async def test_keeps_connections_with_a_request_in_progress(self) -> None:
        async with running_server() as server, contextlib.AsyncExitStack() as stack:
            busy = [await stack.enter_async_context(raw_client(server.port)) for _ in range(3)]
            for client in busy:
                server.started.clear()
                await client.get("/slow")
                await server.started.wait()
            late = await stack.enter_async_context(raw_client(server.port))
            assert await late.is_closed()
            server.release.set()
            assert [await client.read_status() for client in busy] == [200] * 3

    async def test_is_half_of_the_open_file_limit_at_most(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listener, "MAX_CONNECTIONS", 1 << 20)
        for soft, limit in ((1024, 512), (3, 1), (1, 1), (resource.RLIM_INFINITY, 1 << 20)):
            monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
            assert listener._connection_limit() == limit

    async def test_counts_handshakes_too(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listener, "TLS_HANDSHAKE_TIMEOUT", 1000.0)
        async with (
            running_server(await tls_policy(tmp_path)) as server,
            contextlib.AsyncExitStack() as stack,
        ):
            silent = [await stack.enter_async_context(raw_client(server.port)) for _ in range(4)]
            assert await silent[0].is_closed()
            client = await stack.enter_async_context(raw_client(server.port, authority.client()))
            await client.get()
            assert await client.read_status() == 200
            assert await silent[1].is_closed()


class TestBadClients:
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
    async def test_a_malformed_request_gets_400_without_a_log_line(
        self, caplog: pytest.LogCaptureFixture, request_text: bytes
    ) -> None:
        async with running_server() as server, raw_client(server.port) as client:
            await client.send(request_text)
            assert await client.read_status() == 400
        assert caplog.messages == []

    @pytest.mark.parametrize("target", ["/", "/nowhere", "nonsense"])
    async def test_no_response_discloses_versions(self, target: str) -> None:
        async with running_server() as server, raw_client(server.port) as client:
            await client.get(target)
            head = (await client.reader.readuntil(b"\r\n\r\n")).decode()
        assert f"Server: {SERVER_HEADER}\r\n" in head
        assert "aiohttp" not in head
        assert "Python" not in head

    async def test_the_maximum_number_of_headers_is_accepted(self) -> None:
        async with running_server() as server, raw_client(server.port) as client:
            await client.get("/", *["A: x"] * (MAX_HEADERS - 1))
            assert await client.read_status() == 200

    async def test_an_exception_of_the_server_is_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        connection._log.error("failed", exc_info=RuntimeError("boom"))
        assert caplog.messages == ["failed"]

    async def test_a_response_that_is_not_read_aborts_the_connection(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        aborted = asyncio.Event()
        abort = HttpConnection.abort

        def record_abort(connection: HttpConnection) -> None:
            abort(connection)
            aborted.set()

        monkeypatch.setattr(HttpConnection, "abort", record_abort)
        monkeypatch.setattr("exporter.web.listener.connection.WRITE_TIMEOUT", 0.01)
        async with running_server() as server, raw_client(server.port) as client:
            transport = client.writer.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            await client.get("/large")
            async with asyncio.timeout(TEST_TIMEOUT):
                await aborted.wait()
            transport.resume_reading()
            with contextlib.suppress(ConnectionError):
                assert len(await client.reader.read()) < len(LARGE)

    async def test_a_response_that_is_read_is_complete(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        async with (
            running_server(await tls_policy(tmp_path)) as server,
            raw_client(server.port, authority.client()) as client,
        ):
            await client.get("/large", "Connection: close")
            assert await client.read_status() == 200

    async def test_accept_is_retried_after_a_failure(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        loop = asyncio.get_running_loop()
        accept = loop.sock_accept
        fails = iter([True, True, True, False, True])

        async def failing_accept(listening: object) -> object:
            if next(fails, False):
                raise OSError(24, "Too many open files")
            return await accept(listening)  # type: ignore[arg-type]

        monkeypatch.setattr(loop, "sock_accept", failing_accept)
        monkeypatch.setattr(listener, "_ACCEPT_RETRY_DELAY", 0.0)
        async with running_server() as server:
            async with raw_client(server.port) as accepted_between:
                assert await accepted_between.is_closed()
            async with raw_client(server.port) as client:
                await client.get()
                assert await client.read_status() == 200
        assert caplog.messages == ["accept failed"] * 2  # once for failures in a row

    async def test_an_idle_connection_makes_room_if_no_descriptor_is_left(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loop = asyncio.get_running_loop()
        accept = loop.sock_accept
        async with running_server() as server, raw_client(server.port) as idle:
            await idle.get()
            assert await idle.read_status() == 200
            accepted = 0

            async def failing_accept(listening: object) -> object:
                nonlocal accepted
                accepted += 1
                if accepted == 1:
                    raise OSError(24, "Too many open files")
                return await accept(listening)  # type: ignore[arg-type]

            # The pending accept takes one more; the one after it fails.
            monkeypatch.setattr(loop, "sock_accept", failing_accept)
            async with raw_client(server.port) as last, raw_client(server.port) as next_one:
                await last.get()
                await next_one.get()
                assert await next_one.read_status() == 200
                assert await idle.is_closed()


class TestShutdown:
    async def test_leaves_no_task_and_no_connection(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listener, "TLS_HANDSHAKE_TIMEOUT", 1000.0)
        before = asyncio.all_tasks()
        async with contextlib.AsyncExitStack() as stack:
            async with running_server(await tls_policy(tmp_path)) as server:
                answered = await stack.enter_async_context(
                    raw_client(server.port, authority.client())
                )
                await answered.get()
                assert await answered.read_status() == 200
                half = await stack.enter_async_context(raw_client(server.port, authority.client()))
                await half.send(b"GET /")
                silent = await stack.enter_async_context(raw_client(server.port))
            for client in (answered, half, silent):
                assert await client.is_closed()
            assert asyncio.all_tasks() == before

    async def test_does_not_wait_for_a_client_that_does_not_read(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lost: list[HttpConnection] = []
        monkeypatch.setattr(HttpConnection, "connection_lost", lambda each, _: lost.append(each))
        async with contextlib.AsyncExitStack() as stack:
            async with running_server(await tls_policy(tmp_path)) as server:
                client = await stack.enter_async_context(
                    raw_client(server.port, authority.client())
                )
                transport = client.writer.transport
                assert isinstance(transport, asyncio.Transport)
                transport.pause_reading()
                await client.get("/large")
            assert len(lost) == 1
            transport.resume_reading()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                assert len(await client.reader.read()) < len(LARGE)

    async def test_waits_a_moment_for_requests_in_progress(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with running_server() as server:
                client = await stack.enter_async_context(raw_client(server.port))
                await client.get("/slow")
                await server.started.wait()
                asyncio.get_running_loop().call_later(0.05, server.release.set)
            assert await client.read_status() == 200
