"""Parts of the response to a scrape: its timeout, its compression and its body."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator
from unittest.mock import create_autospec

import pytest
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from exporter.web.metrics import (
    DEFAULT_TIMEOUT,
    TIMEOUT_HEADER,
    TIMEOUT_OFFSET,
    ChunkedPayload,
    accepts_gzip,
    scrape_timeout,
)

Client = TestClient[web.Request, web.Application]

CHUNK = memoryview(bytes(2**18))
COUNT = 200


def timeout_for(header: str) -> float:
    return scrape_timeout(make_mocked_request("GET", "/metrics", headers={TIMEOUT_HEADER: header}))


@pytest.mark.parametrize(
    ("header", "seconds"), [("10", 9.5), ("10.000000", 9.5), (" 3.25 ", 2.75), ("0.2", 0.0)]
)
def test_a_scrape_waits_for_its_timeout_less_the_offset(header: str, seconds: float) -> None:
    assert timeout_for(header) == seconds


@pytest.mark.parametrize(
    "header",
    ["", "soon", "-1", "nan", "inf", "1e9", "1_0", "9" * 400, "10,10", "\u0661\u0660", "0x10"],
)
def test_an_invalid_timeout_is_ignored(header: str) -> None:
    assert timeout_for(header) == DEFAULT_TIMEOUT - TIMEOUT_OFFSET


def test_without_the_header_the_timeout_is_prometheus_default() -> None:
    assert (
        scrape_timeout(make_mocked_request("GET", "/metrics")) == DEFAULT_TIMEOUT - TIMEOUT_OFFSET
    )


@pytest.mark.parametrize(
    "header",
    ["gzip", "GZIP", "gzip;q=1", "gzip;q=0.001", "deflate, gzip", "br;q=1.0 , gzip ; q=0.5"],
)
def test_gzip_is_accepted_if_it_is_named(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "identity",
        "deflate, br",
        "*",
        "gzip;q=0",
        "gzip;q=0.0",
        "gzip; q=0.000",
        "gzip;Q = 0",
        "identity, gzip ;q=0 , br",
        "notgzip",
        "x;gzip",
        ",;,",
    ],
)
def test_gzip_is_not_accepted_if_it_is_refused_or_not_named(header: str) -> None:
    assert not accepts_gzip(header)


class Source:
    """Returns chunks; counts those that were read."""

    def __init__(self) -> None:
        self.read = 0
        self.closed = asyncio.Event()

    def __call__(self) -> Iterator[memoryview]:
        try:
            for _ in range(COUNT):
                self.read += 1
                yield CHUNK
        finally:
            self.closed.set()


def application(source: Source) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        body = ChunkedPayload(source, COUNT * len(CHUNK), "text/x")
        return web.Response(body=body)

    application = web.Application()
    application.router.add_get("/", answer)
    return application


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def client(
    source: Source, aiohttp_client: Callable[[web.Application], Awaitable[Client]]
) -> Client:
    return await aiohttp_client(application(source))


async def test_a_body_arrives_complete(client: Client) -> None:
    response = await client.get("/")
    assert response.headers["Content-Length"] == str(COUNT * len(CHUNK))
    assert response.headers["Content-Type"] == "text/x"
    assert len(await response.read()) == COUNT * len(CHUNK)


async def test_a_head_request_reads_no_chunk(client: Client, source: Source) -> None:
    response = await client.head("/")
    assert response.headers["Content-Length"] == str(COUNT * len(CHUNK))
    assert await response.read() == b""
    assert source.read == 0


async def test_a_slow_reader_delays_the_next_chunks(client: Client, source: Source) -> None:
    response = await client.get("/")
    await response.content.readexactly(1)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert 0 < source.read < COUNT
    assert len(await response.content.read()) == COUNT * len(CHUNK) - 1


async def test_a_closed_connection_ends_the_body_without_a_log_line(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestServer(application(source)) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readexactly(1)
        writer.transport.abort()
        await source.closed.wait()
    assert source.read < COUNT
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_other_tasks_go_on_while_the_socket_takes_everything(source: Source) -> None:
    writer = create_autospec(AbstractStreamWriter, instance=True)
    body = asyncio.create_task(ChunkedPayload(source, COUNT * len(CHUNK), "text/x").write(writer))
    written: list[int] = []
    while not body.done():
        await asyncio.sleep(0)
        written.append(writer.write.await_count)
    assert written[-1] == COUNT
    assert max(after - before for before, after in itertools.pairwise([0, *written])) <= 8
