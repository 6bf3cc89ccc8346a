"""A peer that says exactly what a script has it say: for what no real daemon would do.

Truncated replies, silence and nonsense are not things the simulator does; a test that needs them
writes them down.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One connection, from the peer's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self, command: bytes) -> None:
        """Read lines until one is `command`.

        Raises:
            asyncio.IncompleteReadError: the client has left without saying it.
        """
        while (await self.reader.readuntil(b"\n")).rstrip() != command:
            pass

    async def wait_until_left(self) -> None:
        """Say nothing more until the client has gone."""
        await self.reader.read()


Script = Callable[[Line], Awaitable[None]]
"""What to do on each connection; it is closed when the script ends."""


async def stay_silent(line: Line) -> None:
    """Accept and say nothing, as a daemon does whose slot is taken."""
    await line.wait_until_left()


async def hang_up(line: Line) -> None:
    """Accept and close without a byte, as a daemon does to a peer it doesn't permit."""


def stop_in_the_middle(command: bytes, beginning: bytes) -> Script:
    """Return a script that begins to answer a command and never ends."""

    async def script(line: Line) -> None:
        await line.say(GREETING)
        await line.hear(command)
        await line.say(beginning)
        await line.wait_until_left()

    return script


def talk(data: bytes) -> Script:
    """Return a script that says something and then listens."""

    async def script(line: Line) -> None:
        await line.say(data)
        await line.wait_until_left()

    return script


@contextlib.asynccontextmanager
async def scripted_peer(script: Script) -> AsyncIterator[str]:
    """Listen at a free port of loopback and follow the script there; gives the address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await script(Line(reader, writer))
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        host, port = listener.sockets[0].getsockname()
        yield f"{host}:{port}"
