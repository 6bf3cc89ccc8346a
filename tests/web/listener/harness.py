"""A server on loopback, and a client that speaks HTTP byte by byte."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from exporter.web.auth import PolicyFile
from exporter.web.listener import bind, parse_listen_address, serve
from tests.fake_daemon import TEST_TIMEOUT

LARGE = b"x" * (8 << 20)
"""More than any socket's buffer takes."""


class TestServer(NamedTuple):
    """The port of a served application; its handler `/slow` sets `started`, waits for `release`."""

    port: int
    started: asyncio.Event
    release: asyncio.Event


class RawClient(NamedTuple):
    """The client's end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def get(self, path: str = "/", *headers: str) -> None:
        lines = [f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]
        await self.send("\r\n".join(lines).encode())

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_status(self) -> int:
        async with asyncio.timeout(TEST_TIMEOUT):
            head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        await self.reader.readexactly(length)
        return int(head.split()[1])

    async def is_closed(self) -> bool:
        """Wait until the server closes the connection; return whether it sent nothing before."""
        try:
            async with asyncio.timeout(TEST_TIMEOUT):
                return await self.reader.read() == b""
        except (ConnectionError, ssl.SSLError):
            return True

    async def is_rejected(self) -> bool:
        """Send a request; return whether the connection is closed without a response."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.get()
        return await self.is_closed()


@contextlib.asynccontextmanager
async def running_server(policy: PolicyFile | None = None) -> AsyncIterator[TestServer]:
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
    (address,) = addresses = await bind([parse_listen_address("127.0.0.1:0")])
    port = address.sockets[0].getsockname()[1]
    async with serve(addresses, application, policy or PolicyFile()):
        yield TestServer(port, started, release)


@contextlib.asynccontextmanager
async def raw_client(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawClient]:
    name = "localhost" if tls else None
    async with asyncio.timeout(TEST_TIMEOUT):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname=name
        )
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def tls_policy(directory: Path, more: str = "") -> PolicyFile:
    file = directory / "web.yaml"
    write(file, f"tls_server_config: {{cert_file: web.crt, key_file: web.key{more}}}\n")
    return await asyncio.to_thread(PolicyFile, file, check_interval=0.0)


def write(file: Path, text: str) -> None:
    file.write_text(text)
