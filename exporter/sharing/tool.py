"""The session of one tool: the daemon's side of the management protocol, over a stream.

A tool costs a bounded buffer and a bounded time, whatever it sends, and whether or not it reads.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from exporter.config.share import ShareConfig
from exporter.log import Level, event
from exporter.management.server.commands import CommandError
from exporter.management.server.protocol import (
    READ_SIZE,
    Event,
    LoginFailed,
    Request,
    ServerProtocol,
)
from exporter.management.server.replies import error
from exporter.monitor.reply_cache import Encoded
from exporter.monitor.shared_session import SharedSession
from exporter.secret import Secret
from exporter.sharing.commands import NotAnswered, ToolCommands
from exporter.state.sharing import COMMANDS, OTHER, Outcome

LOGIN_TIMEOUT = 30.0
"""Seconds from the connection to the right password."""

LOGIN_DELAY = 1.0
"""Seconds until a session with three wrong passwords is closed."""

READ_PAUSE = 0.01
"""Seconds after a full read: some thousand commands a second, and time for everything else."""

WRITE_SIZE = 256 * 1024
"""Bytes that are written at once; a longer reply is written as the tool reads it."""

WRITE_TIMEOUT = 30.0
"""Seconds to read that much."""

LINES_LIMIT = 1024 * 1024
"""Bytes of real-time lines that wait for the tool to read; OpenVPN itself has no limit."""

CLOSE_TIMEOUT = 5.0
"""Seconds to read what was written before the end."""

_log = logging.getLogger(__name__)


class ToolSession:
    """A tool that is connected: `run` it until it ends."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        shared: SharedSession,
        count: Callable[[str, Outcome], None],
        config: Callable[[], ShareConfig],
        password: Secret | None,
    ) -> None:
        """`count` is called with the name and the outcome of each command."""
        self._reader = reader
        self._writer = writer
        self._shared = shared
        self._count = count
        self._commands = ToolCommands(shared, config)
        self._password = password.reveal().encode() if password is not None else None
        self._is_logged_in = False
        self._is_writing = False
        self._waiting_bytes = 0
        """Bytes of real-time lines that are not written."""

    async def run(self) -> None:
        """Serve the tool until it leaves, or there is no session with the daemon.

        Without one it is not greeted, as if the daemon did not run.
        """
        facts = self._shared.facts
        self._task = asyncio.current_task()
        try:
            if facts is None:
                return
            self._protocol = ServerProtocol(
                management_version=facts.management_version, password=self._password
            )
            self._shared.attach(self)
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(LOGIN_TIMEOUT) as self._login:
                    await self._serve()
            self._close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()  # as long, it keeps the place of a tool
        finally:
            self._close()

    def _close(self) -> None:
        """Close the connection when the tool has read what was written, or in some seconds."""
        self._shared.detach(self)
        if not self._writer.is_closing():
            self._writer.close()
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self._writer.transport.abort)

    async def _serve(self) -> None:
        while True:
            while (received := self._protocol.next_event()) is not None:
                await self._handle(received)
            await self._write()
            if self._protocol.closed:
                return
            data = await self._reader.read(READ_SIZE)
            if not data:
                self._protocol.receive_eof()
                continue
            self._protocol.receive(data)
            if len(data) == READ_SIZE:
                await asyncio.sleep(READ_PAUSE)

    async def _handle(self, received: Event) -> None:
        match received:
            case Request(words=words):
                await self._answer(words)
            case LoginFailed():
                event(_log, Level.DEBUG, "tool sent three wrong passwords")
                await asyncio.sleep(LOGIN_DELAY)
            case _ if not self._is_logged_in:
                self._is_logged_in = True
                self._login.reschedule(None)
            case _:
                pass

    async def _answer(self, words: tuple[str, ...]) -> None:
        name = words[0] if words[0] in COMMANDS else OTHER
        try:
            reply = await self._commands.reply(words)
        except CommandError as refused:
            self._count(name, Outcome.REFUSED)
            self._protocol.reply(error(str(refused)))
        except NotAnswered:  # a whole reply, or the end
            self._protocol.close()
        else:
            forwarded = self._commands.forwarded
            self._count(name, Outcome.FORWARDED if forwarded else Outcome.SERVED)
            self._protocol.reply(reply)

    async def _write(self) -> None:
        """Write what is to be sent, as fast as the tool reads."""
        self._is_writing = True
        self._waiting_bytes = 0
        for piece in _pieces(self._protocol.output_parts()):
            self._writer.write(piece)
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._writer.drain()
        self._is_writing = False
        self._write_lines()

    @property
    def realtime(self) -> AbstractSet[str]:
        """The keywords of the messages that the tool has switched on."""
        return self._commands.realtime

    def on_lines(self, lines: bytes) -> None:
        """Send real-time messages; end the session if too many of them wait."""
        self._protocol.notify(lines)
        self._waiting_bytes += len(lines)
        if self._waiting_bytes + self._writer.transport.get_write_buffer_size() > LINES_LIMIT:
            event(_log, Level.DEBUG, "tool does not read, disconnected")
            self._writer.transport.abort()
            self._cancel()
        else:
            self._write_lines()

    def _write_lines(self) -> None:
        if not (self._is_writing or self._writer.is_closing()):
            self._writer.write(self._protocol.output())
            self._waiting_bytes = 0

    def on_close(self) -> None:
        """End the session; the lines before the end are sent."""
        self._protocol.close()
        self._write_lines()
        self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _pieces(parts: Sequence[Encoded]) -> Iterator[bytes | memoryview]:
    """Yield output in pieces of `WRITE_SIZE`: all of it at once where it fits.

    Parts are never joined beyond that: a tool may ask for the same large reply many times.
    """
    if sum(map(len, parts)) <= WRITE_SIZE:
        yield b"".join(parts)
        return
    for part in (memoryview(part) for part in parts):
        for start in range(0, len(part), WRITE_SIZE):
            yield part[start : start + WRITE_SIZE]
