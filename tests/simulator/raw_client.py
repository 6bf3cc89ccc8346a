"""A management client that sends lines and reads lines, without parsing them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

LAST_LINES = ("END", "SUCCESS:", "ERROR:")


@dataclass(frozen=True, slots=True)
class RawClient:
    """One connection to a simulated daemon."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def line(self) -> str:
        """Return the next line without its end, which must be CR LF; "" at the end of stream."""
        raw = await self.reader.readline()
        assert raw == b"" or raw.endswith(b"\r\n"), raw
        return raw.decode("utf-8", "surrogateescape").removesuffix("\r\n")

    async def lines(self, count: int) -> list[str]:
        """Return so many lines."""
        return [await self.line() for _ in range(count)]

    async def until(self, last: str) -> list[str]:
        """Return lines up to the first that begins with `last`, which is included."""
        lines = [await self.line()]
        while not lines[-1].startswith(last):
            assert lines[-1], f"closed before {last}"
            lines.append(await self.line())
        return lines

    def send(self, *commands: str) -> None:
        """Send lines in one write."""
        self.writer.write("".join(f"{command}\n" for command in commands).encode())

    async def ask(self, command: str) -> list[str]:
        """Send a command; return its reply, with the notifications before it."""
        self.send(command)
        lines = [await self.line()]
        while lines[-1].startswith(">") or not lines[-1].startswith(LAST_LINES):
            assert lines[-1], f"closed before the reply to {command}"
            lines.append(await self.line())
        return lines

    async def rest(self) -> bytes:
        """Return everything until the daemon closes the connection."""
        return await self.reader.read()


@contextlib.asynccontextmanager
async def raw_client(address: str) -> AsyncIterator[RawClient]:
    """Connect and read nothing yet."""
    if address.startswith("unix:"):
        streams = await asyncio.open_unix_connection(address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        streams = await asyncio.open_connection(host, int(port))
    reader, writer = streams
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def greeted_client(address: str) -> AsyncIterator[RawClient]:
    """Connect to a daemon without a password and read its greeting."""
    async with raw_client(address) as connected:
        assert (await connected.line()).startswith(">INFO:OpenVPN Management Interface Version")
        yield connected
