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

_AT_ONCE = 500
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
        self.dialogue = CommandHistory()
        self._subscribers: list[Subscriber] = []
        self._turn = asyncio.Lock()
        self._asked: list[_Question] = []
        self._dropped_replies = 0
        self._quiet = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._unparsed_lines = 0

    def subscribe(self, subscriber: Subscriber) -> None:
        """Give every further real-time message to `subscriber`, synchronously."""
        self._subscribers.append(subscriber)

    def take_unparsed(self) -> int:
        """Return the number of lines that fit nowhere since this was last asked."""
        lines, self._unparsed_lines = self._unparsed_lines, 0
        return lines

    @property
    def error(self) -> Exception | None:
        """What ended the session, or None while it lives.

        Anything but a `ManagementError` is a bug of a subscriber.
        """
        return self._lost.result() if self._lost.done() else None

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait until the session ends or `event` is set, `seconds` at most."""
        await wait_for_event(event, seconds, or_done=[self._lost])

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
                    messages, answer = login.take(data)
                    self._writer.write(answer)
                    for message in messages:
                        self._dispatch(message)
        except TimeoutError as error:
            raise login.silence(self.timeout) from error
        except OSError as error:  # a reset: the peer closed without reading what we sent
            raise login.closed() from error
        self._reading = asyncio.create_task(self._read(), name=f"read {self.peer}")

    async def request(self, command: Command, *, then: ReplyCallback | None = None) -> Reply:
        """Send one command and return its reply, complete.

        `then` is called with the reply before any later message reaches a subscriber: what came
        before the reply has been seen by then, and what came after it has not.

        Raises:
            ReplyTimeout: no complete reply in time. `resynchronise` before anything else is asked.
            ProtocolError: a reply of a shape that the command doesn't have.
            SessionClosed: the daemon ended the session.
        """
        async with self._turn:
            reply = await self._exchange(command, then)
        if not isinstance(reply, ErrorReply | _SHAPES[command.reply]):
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
        async with self._turn:
            dropped = self._dropped_replies
            await self._exchange(Command.PID)
            return self._dropped_replies > dropped

    async def _exchange(self, command: Command, then: ReplyCallback | None = None) -> Reply:
        if self._lost.done():
            raise self._lost.result()
        loop = asyncio.get_running_loop()
        began = loop.time()
        question = self._ask(command, then)
        try:
            async with asyncio.timeout(self.timeout):
                reply = await question.reply
        except TimeoutError as error:
            ended = loop.time()
            self.dialogue.unanswered(command, ended=ended, seconds=ended - began)
            raise ReplyTimeout(
                f"{self.peer}: no complete reply to '{command.text}' within {self.timeout:g} s"
            ) from error
        ended = loop.time()
        self.dialogue.exchanged(command, reply, ended=ended, seconds=ended - began)
        return reply

    def _ask(self, command: Command, then: ReplyCallback | None) -> "_Question":
        question = _Question(command, asyncio.get_running_loop().create_future(), then)
        self._asked.append(question)
        self._quiet.clear()
        self._writer.write(self._protocol.send(command))
        return question

    def abandon(self, error: ManagementError) -> None:
        """End the session at once for `error`, which whoever waits for a reply gets."""
        self._lose(error)
        if self._reading is not None:
            self._reading.cancel()

    async def close(self) -> None:
        """Leave: the reply under way is read first, since `quit` makes the daemon drop it."""
        # `asyncio.timeout` can't be used here: before Python 3.11.3 it takes the cancellation that
        # brought us here for its own, and nothing would be closed.
        try:
            if self._asked and not self._lost.done():
                await _wait_for(self._quiet.wait(), _LAST_REPLY)
            if self._protocol.greeted and not self._lost.done():
                self._writer.write(self._protocol.send(Command.QUIT))
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.wait([self._reading])
        finally:  # whoever is cancelled while leaving still leaves
            self._lose(SessionClosed(f"{self.peer}: we left"))
            self._writer.close()
        await _wait_for(self._writer.wait_closed(), _LAST_REPLY)

    async def _read(self) -> None:
        try:
            while data := await self._stream.read():
                await self._dispatch_all(self._protocol.receive(data))
            await self._dispatch_all(self._protocol.receive_eof())
            self._lose(SessionClosed(f"{self.peer}: the daemon closed the session"))
        except ProtocolError as error:
            self._lose(ProtocolError(f"{self.peer}: {error}"))
        except OSError as error:
            self._lose(SessionClosed(f"{self.peer}: {error.strerror or error}"))
        except Exception as error:  # noqa: BLE001 -- a subscriber's bug must not go unseen
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        if self._lost.done():
            return
        self._lost.set_result(error)
        for question in self._asked:
            if not question.reply.done():
                question.reply.set_exception(error)
        self._forget(len(self._asked))

    async def _dispatch_all(self, messages: Iterable[Message]) -> None:
        # Apart from the loop that reads: its variables live until the next bytes come, and a
        # status of ten thousand clients is no small thing to keep.
        for number, message in enumerate(messages, start=1):
            self._dispatch(message)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _dispatch(self, message: Message) -> None:
        match message:
            case Notification(source=source):
                self.dialogue.notified(source)
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
            self._forget_before_pid()
        if not self._asked:
            self._unparsed_lines += 1
            return
        question = self._asked[0]
        if not question.reply.done():  # else whoever asked has given up
            question.reply.set_result(reply)
            if question.then is not None:
                question.then(reply)
        self._forget(1)

    def _forget_before_pid(self) -> None:
        """What was asked before `pid` is not answered after it: the daemon dropped the rest."""
        pids = [index for index, question in enumerate(self._asked) if question.is_pid]
        dropped = pids[0] if pids else 0
        self._dropped_replies += dropped
        self._forget(dropped)

    def _forget(self, questions: int) -> None:
        del self._asked[:questions]
        if not self._asked:
            self._quiet.set()


class _Question(NamedTuple):
    """A command that was sent, and who waits for its reply."""

    command: Command
    reply: asyncio.Future[Reply]
    then: ReplyCallback | None

    @property
    def is_pid(self) -> bool:
        return self.command is Command.PID


_SHAPES: dict[ReplyKind, type[SuccessReply | MultilineReply]] = {
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
