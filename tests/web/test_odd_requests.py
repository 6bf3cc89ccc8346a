"""Whatever is asked, of whichever endpoint: an answer that blames the asker, and a quiet log."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.own import OwnMetrics
from exporter.web.access import Rules, guard
from exporter.web.listening import listen, open_door, parse_listen_address
from exporter.web.server import application
from tests.metrics.records import server
from tests.peers import SAFETY

PATHS = ["/metrics", "/", "/-/healthy", "/-/ready", "/nowhere"]

ODD = {
    "a method of nobody's": "BREW {path} HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": "CONNECT example.org:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "options of all": "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "trace": "TRACE {path} HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes that are no text": "GET {path}?name[]=%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "half an escape": "GET {path}%zz?%=%&%u0041 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a way up": "GET {path}/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "a whole URL": "GET http://[::1{path} HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": "GET {path} HTTP/1.1\r\n\r\n",
    "an odd host": "GET {path} HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "an upgrade": "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "an expectation": "GET {path} HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n",
    "odd lists": "GET {path} HTTP/1.1\r\nHost: x\r\nAccept: ;q=,;\r\nAccept-Encoding: ;q=x\r\n\r\n",
    "a body": "GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
    "half a body": "GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody",
    "odd chunks": "GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an odd cookie": "GET {path} HTTP/1.1\r\nHost: x\r\nCookie: ==;\x7f\r\n\r\n",
    "the past": "GET {path} HTTP/1.0\r\n\r\n",
    "the far past": "GET {path}\r\n\r\n",
    "the future": "GET {path} HTTP/9.9\r\nHost: x\r\n\r\n",
}


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[int]:
    records = [server()]
    web = application(
        lambda: records, Exposition(FAMILIES, OwnMetrics().registry), telemetry_path="/metrics"
    )
    rules = Rules()
    guard(web, rules)
    (place,) = places = await listen([parse_listen_address("127.0.0.1:0")])
    port = place.sockets[0].getsockname()[1]
    async with open_door(places, web, rules):
        yield port


async def status(port: int, request: str) -> int:
    async with asyncio.timeout(SAFETY):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode("latin-1"))
        line = await reader.readline()
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return int(line.split()[1])


@pytest.mark.parametrize("request_text", ODD.values(), ids=ODD.keys())
async def test_an_odd_request_is_answered_and_never_our_fault(
    request_text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with served() as port:
        for path in PATHS:
            assert await status(port, request_text.format(path=path)) < 500
    assert caplog.messages == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_what_is_there_can_only_be_read(method: str) -> None:
    async with served() as port:
        for path in ("/metrics", "/", "/-/healthy", "/-/ready"):
            assert await status(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n") == 405
