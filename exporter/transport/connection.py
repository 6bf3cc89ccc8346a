"""One management session over a stream, with a timeout for the login and for each reply.

A command is sent after the reply to the previous one; concurrent requests wait in order.
Real-time messages are read all the time and go to every subscriber: a daemon that cannot send
them keeps them in its memory, without a limit.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from exporter.aio import Wakeup, run_at_once, run_cooperatively
from exporter.management.batches import Steps, batches, data_batches
from exporter.management.commands import NO_COMMANDS, Command, ReplyKind
from exporter.management.errors import (
    ManagementError,
    ProtocolError,
    ReplyError,
    ReplyTimeout,
    SessionClosed,
)
from exporter.management.messages import (
    ErrorReply,
    Message,
    MultilineReply,
    Notification,
    PasswordPrompt,
    Reply,
    SuccessReply,
    Truncated,
    UnexpectedLine,
)
from exporter.management.protocol import ManagementProtocol
from exporter.secret import Secret
from exporter.transport.handshake import Handshake
from exporter.transport.history import CommandHistory
from exporter.transport.stream import Stream

_LAST_REPLY = 0.5
"""Seconds that `close` waits for a pending reply, so that the exporter stops within a second."""

_MAX_MESSAGES = 250
"""Messages dispatched before yielding to the event loop: five milliseconds of log lines."""

_MAX_MESSAGE_BYTES = 32 * 1024
"""Bytes of these messages; a byte of a log line takes up to 150 ns."""

Subscriber = Callable[[Notification], None]
ReplyCallback = Callable[[Reply], Iterable[object]]
"""Takes a reply; its steps are run, if it returns any."""


class Connection:
    """A session from the first byte to the last: `log_in` once, `request` often, `close` once."""

    def __init__(self, stream: Stream, *, timeout: float) -> None:
        """Create a session over `stream`; `timeout` is in seconds, for the login and each reply."""
        self._stream = stream
        self.peer = stream.peer
        self.timeout = timeout
        self._protocol = ManagementProtocol()
        self.history = CommandHistory()
        self._subscribers: list[Subscriber] = []
        self._lock = asyncio.Lock()
        self._pending: list[_PendingCommand] = []
        self._dropped_replies = 0
        self.unanswered = NO_COMMANDS
        """Commands that the daemon has not answered: it has answered a later `pid`."""
        self._idle = Wakeup()
        self._reading: asyncio.Task[None] | None = None
        self.error: Exception | None = None
        """What ended the session, or None while it is open.

        Anything but a `ManagementError` is an unhandled exception of a subscriber.
        """
        self.on_end: Callable[[], None] = lambda: None
        """Called when the session has ended."""
        self._unparsed_lines = 0
        self.on_other_lines: Callable[[int, int], None] = lambda _, __: None
        """Called with the number and bytes of received lines that are neither log nor reply."""
        self.on_reply: Callable[[Command, Reply], None] = lambda _, __: None
        """Called with each reply that has the form of its command, before later messages."""

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with every further real-time message."""
        self._subscribers.append(subscriber)

    def pop_unparsed(self) -> int:
        """Return the number of lines that could not be framed since the last call."""
        lines, self._unparsed_lines = self._unparsed_lines, 0
        return lines

    async def log_in(self, password: Secret | None) -> None:
        """Wait for the greeting, and answer one password prompt before it.

        Raises:
            SlotBusy: no byte came; another client holds the slot.
            EndpointPermissionError: closed before the first byte.
            AuthenticationFailed: the daemon asks for a password, and ours is wrong or missing.
            ReplyTimeout: bytes came, but no greeting.
            ProtocolError: not the management protocol.
            SessionClosed: the daemon closed the session.
        """
        handshake = Handshake(self._protocol, password, self.peer)
        try:
            async with asyncio.timeout(self.timeout):
                while not self._protocol.greeted:
                    data = await self._stream.read()
                    await run_cooperatively(self._feed_login(handshake, data))
        except TimeoutError as error:
            raise handshake.timeout_error(self.timeout) from error
        except OSError as error:  # a reset: closed with our bytes unread
            raise handshake.eof_error() from error
        self._stream.on_readable = self._on_readable
        self._on_readable()

    def _feed_login(self, handshake: Handshake, data: bytes) -> Steps[None]:
        for piece, _ in data_batches(data):
            messages, answer = handshake.feed(piece)
            self._stream.write(answer)
            yield from self._dispatch(messages)
            yield

    async def request(self, command: Command, *, on_reply: ReplyCallback | None = None) -> Reply:
        """Send a command and return its complete reply.

        `on_reply` takes the reply after all earlier and before all later real-time messages have
        reached the subscribers.

        Raises:
            ReplyTimeout: no complete reply in time; call `resynchronise` before the next request.
            ReplyError: the reply has another form than the command's.
            SessionClosed: the session was closed.
        """
        async with self._lock:
            reply = await self._exchange(command, on_reply)
        if not _has_form(reply, command):
            raise ReplyError(f"{self.peer}: a reply to '{command.text}' of another form")
        return reply

    async def resynchronise(self) -> bool:
        """Find the beginning of the next reply, after one that did not come in time.

        Returns whether the daemon has dropped that reply or its end, which is so if `pid` is
        answered first: 2.1 to 2.7 drop a status row of 512 bytes and all that follows. A reply
        that is only late comes before that to `pid`.

        Raises:
            ReplyTimeout: the daemon answers nothing.
            SessionClosed: the session was closed.
        """
        async with self._lock:
            dropped = self._dropped_replies
            await self._exchange(Command.PID)
            return self._dropped_replies > dropped

    async def _exchange(self, command: Command, on_reply: ReplyCallback | None = None) -> Reply:
        if self.error is not None:
            raise self.error
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        pending = _PendingCommand(command, loop.create_future(), on_reply)
        self._pending.append(pending)
        self._idle.clear()
        self._stream.write(self._protocol.send_command(command))
        timer = loop.call_later(self.timeout, pending.resolve, None)
        try:
            reply = await pending.reply
        finally:
            timer.cancel()
        ended = loop.time()
        if reply is None:
            self.history.add_timeout(command, ended=ended, seconds=ended - started_at)
            raise ReplyTimeout(
                f"{self.peer}: no complete reply to '{command.text}' within {self.timeout:g} s"
            )
        self.history.add_reply(command, reply, ended=ended, seconds=ended - started_at)
        return reply

    def abort(self, error: ManagementError) -> None:
        """End the session at once; pending requests raise `error`."""
        self._set_closed(error)
        if self._reading is not None:
            self._reading.cancel()

    async def close(self) -> None:
        """Read the pending reply, which `quit` would make the daemon drop, then quit and close."""
        # Not `asyncio.timeout`: before Python 3.11.3 it takes a cancellation of this task for its
        # own timeout, and the stream would stay open.
        try:
            if self._pending and self.error is None:
                await self._idle.wait(_LAST_REPLY)
            if self._protocol.greeted and self.error is None:
                self._stream.write(self._protocol.send_command(Command.QUIT))
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.wait([self._reading])
        finally:  # also when cancelled
            self._set_closed(SessionClosed(f"{self.peer}: closed by the exporter"))
            self._stream.close()
        await self._stream.wait_closed(_LAST_REPLY)

    def release(self) -> None:
        """Drop what refers to this object after its end: the frames of exceptions do.

        In a cycle a large reply would stay until the next garbage collection.
        """
        self.error = self._reading = None
        self._protocol = ManagementProtocol()

    def _on_readable(self) -> None:
        """Dispatch what was received: at once, or in a task if that takes long.

        A task for each daemon that waits for the next bytes would take 1 KiB.
        """
        if self._reading is None and self.error is None:
            steps = self._read()
            if not run_at_once(steps):
                self._reading = asyncio.create_task(self._go_on(steps), name=f"read {self.peer}")

    async def _go_on(self, reading: Steps[None]) -> None:
        await run_cooperatively(reading)
        self._reading = None

    def _read(self) -> Steps[None]:
        """Dispatch all that was received, until the session ends."""
        try:
            while self.error is None and (data := self._stream.take()):
                for piece, line_ends in data_batches(data):
                    yield from self._dispatch(self._receive(piece, line_ends))
                    yield
            if self._stream.has_ended:
                yield from self._dispatch(self._protocol.receive_eof())
                self._set_closed(SessionClosed(f"{self.peer}: the daemon closed the session"))
        except ProtocolError as error:
            self._set_closed(error.of_peer(self.peer))
        except OSError as error:
            self._set_closed(SessionClosed(f"{self.peer}: {error.strerror or error}"))
        except Exception as error:  # noqa: BLE001 -- of a subscriber; `error` reports it
            self._set_closed(error)

    def _receive(self, data: bytes, line_ends: int) -> Sequence[Message]:
        lines, size = self._protocol.other_lines, self._protocol.other_bytes
        messages = self._protocol.receive_data(data, line_ends)
        if self._protocol.other_lines > lines:
            self.on_other_lines(
                self._protocol.other_lines - lines, self._protocol.other_bytes - size
            )
        return messages

    def _set_closed(self, error: Exception) -> None:
        if self.error is not None:
            return
        self.error = error
        for pending in self._pending:
            if not pending.reply.done():
                pending.reply.set_exception(error)
        self._pop(len(self._pending))
        self.on_end()

    def _dispatch(self, messages: Sequence[Message]) -> Steps[None]:
        """Dispatch messages until the session ends, yielding between batches of them."""
        parts = batches(messages, _total_size, rows=_MAX_MESSAGES, limit=_MAX_MESSAGE_BYTES)
        for number, part in enumerate(parts):
            if number:
                yield
            if self.error is not None:
                return
            for message in part:
                if isinstance(message, SuccessReply | ErrorReply | MultilineReply):
                    yield from self._on_reply(message)
                else:
                    self._dispatch_one(message)

    def _dispatch_one(
        self, message: Notification | Truncated | UnexpectedLine | PasswordPrompt
    ) -> None:
        match message:
            case Notification(keyword=keyword):
                self.history.count_notification(keyword)
                for subscriber in self._subscribers:
                    subscriber(message)
            case Truncated(lines=lines):
                self._unparsed_lines += lines
            case UnexpectedLine() | PasswordPrompt():
                self._unparsed_lines += 1

    def _on_reply(self, reply: Reply) -> Steps[None]:
        if isinstance(reply, SuccessReply) and reply.text.startswith(b"pid="):
            self._drop_before_pid()
        if not self._pending:
            self._unparsed_lines += 1
            if isinstance(reply, MultilineReply):
                self.on_other_lines(len(reply.lines), reply.size)
            return
        pending = self._pending[0]
        if not pending.reply.done():  # else the request has timed out or was cancelled
            if _has_form(reply, pending.command):
                self.on_reply(pending.command, reply)
            if pending.on_reply is not None:
                yield from pending.on_reply(reply)
            pending.resolve(reply)
        self._pop(1)

    def _drop_before_pid(self) -> None:
        """Drop the commands before `pid`: the daemon does not answer them after it."""
        pids = [index for index, pending in enumerate(self._pending) if pending.is_pid]
        dropped = pids[0] if pids else 0
        if dropped:
            commands = [pending.command for pending in self._pending[:dropped]]
            self.unanswered = self.unanswered.union(commands)
            self._dropped_replies += dropped
            self._pop(dropped)

    def _pop(self, count: int) -> None:
        del self._pending[:count]
        if not self._pending:
            self._idle.set()


class _PendingCommand(NamedTuple):
    """A command without its reply."""

    command: Command
    reply: asyncio.Future[Reply | None]
    """None if it does not come in time."""
    on_reply: ReplyCallback | None

    def resolve(self, reply: Reply | None) -> None:
        if not self.reply.done():  # else it has timed out, or the request was cancelled
            self.reply.set_result(reply)

    @property
    def is_pid(self) -> bool:
        return self.command is Command.PID


_REPLY_TYPES: dict[ReplyKind, type[SuccessReply | MultilineReply]] = {
    ReplyKind.LINE: SuccessReply,
    ReplyKind.MULTILINE: MultilineReply,
}


def _has_form(reply: Reply, command: Command) -> bool:
    """Return whether a reply has the form of the command's; each may be refused."""
    return isinstance(reply, ErrorReply | _REPLY_TYPES[command.reply])


def _total_size(messages: Sequence[Message]) -> int:
    """Return the bytes of several messages that subscribers may look at."""
    return sum(
        len(message.payload) + sum(map(len, message.env))
        for message in messages
        if isinstance(message, Notification)
    )
