"""One management session over a stream, with a deadline on everything.

Commands go one at a time, in the order of asking, and the next is sent only after the reply to
the previous one: whoever asks waits for a turn. Real-time messages are read all the time (a
daemon that can't get rid of them keeps them in its memory, without a bound) and go to every
subscriber. Nothing here assumes to be the only reader or the only one who asks.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import NamedTuple

from exporter.aio import wait_for_event
from exporter.management.commands import Command, ReplyKind
from exporter.management.errors import (
    ManagementError,
    ProtocolError,
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
"""Seconds that leaving waits for a reply under way, so that a stop takes less than one second."""

_BURST = 500
"""Messages that are taken without giving way: of log lines, some ten milliseconds."""

Subscriber = Callable[[Notification], None]
ReplyCallback = Callable[[Reply], None]


class Connection:
    """A session from the first byte to the last: `log_in` once, `request` often, `close` once."""

    def __init__(self, stream: Stream, *, timeout: float) -> None:
        """Take over a stream; each reply may take `timeout` seconds."""
        self._stream = stream
        self._writer = stream.writer
        self.peer = stream.peer
        self.timeout = timeout
        self._protocol = ManagementProtocol()
        self.history = CommandHistory()
        self._subscribers: list[Subscriber] = []
        self._lock = asyncio.Lock()
        self._pending: list[_PendingCommand] = []
        self._dropped_replies = 0
        self._idle = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._closed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._unparsed_lines = 0

    def subscribe(self, subscriber: Subscriber) -> None:
        """Give every further real-time message to `subscriber`, synchronously."""
        self._subscribers.append(subscriber)

    def pop_unparsed(self) -> int:
        """Return the number of lines that fit nowhere since this was last asked."""
        lines, self._unparsed_lines = self._unparsed_lines, 0
        return lines

    @property
    def error(self) -> Exception | None:
        """What ended the session, or None while it lives.

        Anything but a `ManagementError` is a bug of a subscriber.
        """
        return self._closed.result() if self._closed.done() else None

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait until the session ends or `event` is set, `seconds` at most."""
        await wait_for_event(event, seconds, or_done=[self._closed])

    async def log_in(self, password: Secret | None) -> None:
        """Wait for the greeting, answering one password prompt if there is one.

        Raises:
            Busy: nothing was said; another client holds the slot.
            PermissionRefused: closed before a byte was said.
            AuthenticationFailed: a password was asked for, and ours is wrong or missing.
            ProtocolError, SessionClosed: as their names say.
        """
        login = Handshake(self._protocol, password, self.peer)
        try:
            async with asyncio.timeout(self.timeout):
                while not self._protocol.greeted:
                    data = await self._stream.read()
                    messages, answer = login.feed(data)
                    self._writer.write(answer)
                    for message in messages:
                        self._dispatch(message)
        except TimeoutError as error:
            raise login.timeout_error(self.timeout) from error
        except OSError as error:  # a reset: the peer closed without reading what we sent
            raise login.eof_error() from error
        self._reading = asyncio.create_task(self._read(), name=f"read {self.peer}")

    async def request(self, command: Command, *, on_reply: ReplyCallback | None = None) -> Reply:
        """Send one command and return its reply, complete.

        `on_reply` is called with the reply before any later message reaches a subscriber: what came
        before the reply has been seen by then, and what came after it has not.

        Raises:
            ReplyTimeout: no complete reply in time. `resynchronise` before anything else is asked.
            ProtocolError: a reply of a shape that the command doesn't have.
            SessionClosed: the daemon ended the session.
        """
        async with self._lock:
            reply = await self._exchange(command, on_reply)
        if not isinstance(reply, ErrorReply | _REPLY_TYPES[command.reply]):
            raise ProtocolError(f"{self.peer}: a reply to '{command.text}' of another shape")
        return reply

    async def resynchronise(self) -> bool:
        """After a reply that didn't come in time: find out where the next one begins.

        Returns whether the daemon dropped the reply or its end, which it shows by answering `pid`
        first (2.1 to 2.7: a status row of 512 bytes drops itself and all that follows); False
        where the reply was only late.

        Raises:
            ReplyTimeout: the daemon doesn't answer at all.
            SessionClosed: the daemon ended the session.
        """
        async with self._lock:
            dropped = self._dropped_replies
            await self._exchange(Command.PID)
            return self._dropped_replies > dropped

    async def _exchange(self, command: Command, on_reply: ReplyCallback | None = None) -> Reply:
        if self._closed.done():
            raise self._closed.result()
        loop = asyncio.get_running_loop()
        began = loop.time()
        pending = self._send(command, on_reply)
        try:
            async with asyncio.timeout(self.timeout):
                reply = await pending.reply
        except TimeoutError as error:
            ended = loop.time()
            self.history.add_timeout(command, ended=ended, seconds=ended - began)
            raise ReplyTimeout(
                f"{self.peer}: no complete reply to '{command.text}' within {self.timeout:g} s"
            ) from error
        ended = loop.time()
        self.history.add_reply(command, reply, ended=ended, seconds=ended - began)
        return reply

    def _send(self, command: Command, on_reply: ReplyCallback | None) -> "_PendingCommand":
        pending = _PendingCommand(command, asyncio.get_running_loop().create_future(), on_reply)
        self._pending.append(pending)
        self._idle.clear()
        self._writer.write(self._protocol.send_command(command))
        return pending

    def abort(self, error: ManagementError) -> None:
        """End the session at once for `error`, which whoever waits for a reply gets."""
        self._set_closed(error)
        if self._reading is not None:
            self._reading.cancel()

    async def close(self) -> None:
        """Leave: the reply under way is read first, since `quit` makes the daemon drop it."""
        # `asyncio.timeout` can't be used here: before Python 3.11.3 it takes the cancellation that
        # brought us here for its own, and nothing would be closed.
        try:
            if self._pending and not self._closed.done():
                await _wait_for(self._idle.wait(), _LAST_REPLY)
            if self._protocol.greeted and not self._closed.done():
                self._writer.write(self._protocol.send_command(Command.QUIT))
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.wait([self._reading])
        finally:  # whoever is cancelled while leaving still leaves
            self._set_closed(SessionClosed(f"{self.peer}: we left"))
            self._writer.close()
        await _wait_for(self._writer.wait_closed(), _LAST_REPLY)

    async def _read(self) -> None:
        try:
            while data := await self._stream.read():
                await self._dispatch_all(self._protocol.receive_data(data))
            await self._dispatch_all(self._protocol.receive_eof())
            self._set_closed(SessionClosed(f"{self.peer}: the daemon closed the session"))
        except ProtocolError as error:
            self._set_closed(ProtocolError(f"{self.peer}: {error}"))
        except OSError as error:
            self._set_closed(SessionClosed(f"{self.peer}: {error.strerror or error}"))
        except Exception as error:  # noqa: BLE001 -- a subscriber's bug must not go unseen
            self._set_closed(error)

    def _set_closed(self, error: Exception) -> None:
        if self._closed.done():
            return
        self._closed.set_result(error)
        for pending in self._pending:
            if not pending.reply.done():
                pending.reply.set_exception(error)
        self._pop(len(self._pending))

    async def _dispatch_all(self, messages: Iterable[Message]) -> None:
        # Apart from the loop that reads: its variables live until the next bytes come, and a
        # status of ten thousand clients is no small thing to keep.
        for number, message in enumerate(messages, start=1):
            self._dispatch(message)
            if number % _BURST == 0:
                await asyncio.sleep(0)

    def _dispatch(self, message: Message) -> None:
        match message:
            case Notification(keyword=source):
                self.history.count_notification(source)
                for subscriber in self._subscribers:
                    subscriber(message)
            case SuccessReply() | ErrorReply() | MultilineReply():
                self._take_reply(message)
            case Truncated(lines=lines):
                self._unparsed_lines += lines
            case UnexpectedLine() | PasswordPrompt():
                self._unparsed_lines += 1

    def _take_reply(self, reply: Reply) -> None:
        if isinstance(reply, SuccessReply) and reply.text.startswith(b"pid="):
            self._drop_before_pid()
        if not self._pending:
            self._unparsed_lines += 1
            return
        pending = self._pending[0]
        if not pending.reply.done():  # else whoever asked has given up
            pending.reply.set_result(reply)
            if pending.on_reply is not None:
                pending.on_reply(reply)
        self._pop(1)

    def _drop_before_pid(self) -> None:
        """What was asked before `pid` is not answered after it: the daemon dropped the rest."""
        pids = [index for index, pending in enumerate(self._pending) if pending.is_pid]
        dropped = pids[0] if pids else 0
        self._dropped_replies += dropped
        self._pop(dropped)

    def _pop(self, count: int) -> None:
        del self._pending[:count]
        if not self._pending:
            self._idle.set()


class _PendingCommand(NamedTuple):
    """A command that was sent, and who waits for its reply."""

    command: Command
    reply: asyncio.Future[Reply]
    on_reply: ReplyCallback | None

    @property
    def is_pid(self) -> bool:
        return self.command is Command.PID


_REPLY_TYPES: dict[ReplyKind, type[SuccessReply | MultilineReply]] = {
    ReplyKind.LINE: SuccessReply,
    ReplyKind.MULTILINE: MultilineReply,
}


async def _wait_for(awaitable: Coroutine[None, None, object], seconds: float) -> None:
    """Wait until something is done, `seconds` at most; whether it is, or fails, doesn't matter.

    Not `asyncio.wait_for`: before Python 3.12 it keeps a cancellation to itself that comes in the
    moment of its end, and whoever is to be stopped goes on for ever.
    """
    task = asyncio.ensure_future(awaitable)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        task.cancel()
