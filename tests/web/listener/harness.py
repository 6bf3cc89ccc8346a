"""An application behind a door, and who knocks at it."""

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
        async with asyncio.timeout(TEST_TIMEOUT):
            head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        await self.reader.readexactly(length)
        return int(head.split()[1])

    async def is_cut_off(self) -> bool:
        """Wait for the end; tell whether nothing was said before it."""
        try:
            async with asyncio.timeout(TEST_TIMEOUT):
                return await self.reader.read() == b""
        except (ConnectionError, ssl.SSLError):
            return True

    async def is_refused(self) -> bool:
        """Ask; tell whether there is no answer."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.ask()
        return await self.is_cut_off()


@contextlib.asynccontextmanager
async def house(rules: PolicyFile | None = None) -> AsyncIterator[House]:
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
    (place,) = places = await bind([parse_listen_address("127.0.0.1:0")])
    port = place.sockets[0].getsockname()[1]
    async with serve(places, application, rules or PolicyFile()):
        yield House(port, started, release)


@contextlib.asynccontextmanager
async def caller(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Caller]:
    name = "localhost" if tls else None
    async with asyncio.timeout(TEST_TIMEOUT):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname=name
        )
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def rules(directory: Path, more: str = "") -> PolicyFile:
    file = directory / "web.yaml"
    write(file, f"tls_server_config: {{cert_file: web.crt, key_file: web.key{more}}}\n")
    return await asyncio.to_thread(PolicyFile, file, check_interval=0.0)


def write(file: Path, text: str) -> None:
    file.write_text(text)
