import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exporter.web.body import ChunkedPayload

Client = TestClient[web.Request, web.Application]

PIECE = memoryview(bytes(2**18))
COUNT = 200


class Source:
    """Pieces, and how many of them have been taken."""

    def __init__(self) -> None:
        self.taken = 0
        self.left = asyncio.Event()

    def __call__(self) -> Iterator[memoryview]:
        try:
            for _ in range(COUNT):
                self.taken += 1
                yield PIECE
        finally:
            self.left.set()


def application(source: Source) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        body = ChunkedPayload(source, size=COUNT * len(PIECE), content_type="text/x")
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


async def test_arrives_whole(client: Client) -> None:
    response = await client.get("/")
    assert response.headers["Content-Length"] == str(COUNT * len(PIECE))
    assert response.headers["Content-Type"] == "text/x"
    assert len(await response.read()) == COUNT * len(PIECE)


async def test_is_left_out_for_head(client: Client, source: Source) -> None:
    response = await client.head("/")
    assert response.headers["Content-Length"] == str(COUNT * len(PIECE))
    assert await response.read() == b""
    assert source.taken == 0


async def test_waits_for_a_slow_reader(client: Client, source: Source) -> None:
    response = await client.get("/")
    await response.content.readexactly(1)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert 0 < source.taken < COUNT
    assert len(await response.content.read()) == COUNT * len(PIECE) - 1


async def test_is_given_up_without_a_word_when_its_reader_leaves(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestServer(application(source)) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readexactly(1)
        writer.transport.abort()
        await source.left.wait()
    assert source.taken < COUNT
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
