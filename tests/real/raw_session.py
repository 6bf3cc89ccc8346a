"""A minimal management client: plain sockets, and the fewest rules that find the end of a reply.

Tests compare the exporter with it, or occupy the management slot with it. It shares no code with
the exporter.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from tests.real.management import LOOPBACK, Address, TcpAddress

PROMPT = b"ENTER PASSWORD:"
DEADLINE = 5.0


class NoReplyError(Exception):
    """The reply did not end in time. ``partial`` is the text received until then."""

    def __init__(self, command: str, partial: str) -> None:
        super().__init__(f"no complete reply to {command!r}, only {partial!r}")
        self.partial = partial


class Session:
    """A management session. ``notifications`` are the ``>`` lines so far, greeting first."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.notifications: list[str] = []

    async def log_in(self, password: str) -> None:
        """Answer the password prompt, which has no line end."""
        assert await self._reader.readexactly(len(PROMPT)) == PROMPT
        self._writer.write(f"{password}\n".encode())
        assert await self._line() == "SUCCESS: password is correct"

    async def notification(self, *, deadline: float = DEADLINE) -> str:
        """Wait for the next notification, such as the greeting or ``>HOLD:``.

        Raises:
            NoReplyError: No line arrived within ``deadline`` seconds.
        """
        async with _in_time(deadline, "waiting"):
            line = await self._line()
        assert line.startswith(">"), line
        self.notifications.append(line)
        return line

    async def request(self, command: str, *, deadline: float = DEADLINE) -> str:
        """Send a command; return its reply, lines joined by ``\\n``, with ``END`` if it has one.

        Split it with ``split("\\n")``: names may contain other characters that ``splitlines``
        treats as line ends, such as U+2028.

        Raises:
            NoReplyError: The reply did not end within ``deadline`` seconds.
        """
        self._writer.write(f"{command}\n".encode())
        lines: list[str] = []
        async with _in_time(deadline, command, lines):
            await self._read_reply(lines)
        return "\n".join(lines)

    async def close(self) -> None:
        """Release the slot."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _read_reply(self, lines: list[str]) -> None:
        while (first := await self._line()).startswith(">"):
            self.notifications.append(first)
        lines.append(first)
        if first.startswith(("SUCCESS:", "ERROR:")):
            return
        while lines[-1] != "END":
            lines.append(await self._line())

    async def _line(self) -> str:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError(f"the daemon closed the connection after {line!r}")
        return line.decode(errors="replace").rstrip("\r\n")


@asynccontextmanager
async def connect(
    address: Address, *, password: str | None = None, deadline: float = DEADLINE
) -> AsyncIterator[Session]:
    """Hold the daemon's management slot until the block ends; the greeting has been read.

    Raises:
        NoReplyError: No greeting within ``deadline`` seconds: another client holds the slot.
    """
    opened = Session(*await _connect(address))
    try:
        async with _in_time(deadline, "connecting"):
            if password is not None:
                await opened.log_in(password)
            await opened.notification(deadline=deadline)
        yield opened
    finally:
        await opened.close()


async def request(
    address: Address, *commands: str, password: str | None = None, deadline: float = DEADLINE
) -> list[str]:
    """Connect, send the commands one by one, close; return the replies.

    Raises:
        NoReplyError: The slot is occupied, or a reply did not end within ``deadline`` seconds.
    """
    async with connect(address, password=password) as opened:
        return [await opened.request(command, deadline=deadline) for command in commands]


@asynccontextmanager
async def listen(address: Address) -> AsyncIterator[asyncio.Future[Session]]:
    """Listen for a daemon with ``--management-client``; the daemon exits when the block ends."""
    connected: asyncio.Future[Session] = asyncio.get_running_loop().create_future()

    def on_connected(reader: StreamReader, writer: StreamWriter) -> None:
        connected.set_result(Session(reader, writer))

    async with await _serve(on_connected, address):
        try:
            yield connected
        finally:
            if connected.done():
                await connected.result().close()


async def _connect(address: Address) -> tuple[StreamReader, StreamWriter]:
    if isinstance(address, TcpAddress):
        return await asyncio.open_connection(LOOPBACK, address.port)
    return await asyncio.open_unix_connection(address.path)


async def _serve(
    on_connected: Callable[[StreamReader, StreamWriter], None], address: Address
) -> asyncio.Server:
    if isinstance(address, TcpAddress):
        return await asyncio.start_server(on_connected, LOOPBACK, address.port)
    return await asyncio.start_unix_server(on_connected, address.path)


@asynccontextmanager
async def _in_time(deadline: float, command: str, lines: Sequence[str] = ()) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(deadline):
            yield
    except TimeoutError:
        raise NoReplyError(command, "\n".join(lines)) from None
