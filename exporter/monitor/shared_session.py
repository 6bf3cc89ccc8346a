"""The session with one daemon, as other management clients use it.

The session sends their commands between its own polls, one at a time, and each for all that wait
for it. Its own replies serve them, too. So other clients cost the daemon one command of each kind
in `max_age`, however many they are.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from typing import Protocol

import msgspec

from exporter.management.commands import NO_COMMANDS, Command
from exporter.management.errors import ReplyError, ReplyTimeout
from exporter.management.messages import Notification, Reply
from exporter.management.replies import Version
from exporter.monitor.reply_cache import KEYWORDS, CachedReply

FATAL = "FATAL"

TIMEOUT_PAUSE = 300.0
"""Seconds until a command is sent again for tools that was not answered in time."""

_CONSTANT = frozenset({Command.PID, Command.VERSION})
"""A daemon that is another process, or of another version, has another session."""

STATUS_3 = frozenset({Command.STATUS_3})
"""What is unanswered where `status 3` does not end."""


class SharedFacts(msgspec.Struct, frozen=True):
    """What other clients have to know of the session.

    `realtime` has the keywords of the messages that come in real time: STATE, LOG.
    `unanswered` has the commands whose replies do not end.
    """

    management_version: int
    version: Version | None = None
    realtime: frozenset[str] = frozenset()
    unanswered: frozenset[Command] = NO_COMMANDS


@functools.cache
def live_keywords(*, states: bool, log: bool) -> frozenset[str]:
    """Return the keywords of messages that come in real time, once for all daemons."""
    return frozenset({"STATE"} if states else ()) | frozenset({"LOG"} if log else ())


class Tool(Protocol):
    """A management client that uses the session."""

    @property
    def realtime(self) -> AbstractSet[str]:
        """The keywords of the messages that it wants; `>FATAL` comes in any case."""

    def on_lines(self, lines: bytes) -> None:
        """Take real-time messages: whole lines, the same object for tools that want the same."""

    def on_close(self) -> None:
        """End: there is no session any more, or the daemon does not answer."""


class FetchedReply(msgspec.Struct, frozen=True):
    """A reply; `forwarded` if a command was sent to the daemon for it."""

    cached: CachedReply
    forwarded: bool


class _Request:
    """A command that tools wait for; `reply` becomes None if the daemon does not answer."""

    def __init__(self) -> None:
        self.reply: asyncio.Future[CachedReply | None] = asyncio.get_running_loop().create_future()
        self.sent = False

    def resolve(self, reply: CachedReply | None) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)


class SharedSession:
    """Open while the session with the daemon is up; it outlives the sessions."""

    def __init__(self) -> None:
        self.facts: SharedFacts | None = None
        """None while there is no session: tools are not greeted."""
        self._max_age: float | None = None
        self._wake: Callable[[], None] = lambda: None
        self._replies: dict[Command, CachedReply] = {}
        self._requests: dict[Command, _Request] = {}
        self._tools: dict[Tool, None] = {}
        self._is_used = False
        """Whether a tool has asked for a reply."""
        self._lines: list[tuple[str, bytes]] = []
        self._timed_out = NO_COMMANDS

    def share(self, max_age: float | None) -> None:
        """Keep replies for so many seconds; with None the session is not shared."""
        self._max_age = max_age
        if max_age is None:
            self._drop_replies()

    def attach(self, tool: Tool) -> None:
        """Pass real-time messages on to a tool, and the end."""
        self._tools[tool] = None

    def detach(self, tool: Tool) -> None:
        """Pass nothing on to a tool any more."""
        self._tools.pop(tool, None)

    def has(self, command: Command) -> bool:
        """Return whether a reply is there."""
        return command in self._replies

    async def fetch(self, command: Command) -> FetchedReply | None:
        """Return a reply that is younger than `max_age`; None if the daemon gives none.

        Concurrent calls share one command. After the first call replies are kept.
        """
        self._is_used = True
        if (cached := self._replies.get(command)) is not None:
            return FetchedReply(cached, forwarded=False)
        if self.facts is None or self._max_age is None:
            return None
        if command in self.facts.unanswered | self._timed_out:
            return None
        request = self._requests.get(command)
        is_first = request is None
        if request is None:
            request = self._requests[command] = _Request()
            self._wake()
        await asyncio.wait([request.reply])
        reply = request.reply.result()
        if reply is None:
            return None
        # Messages may have continued the history since the reply came, in the reply kept now.
        current = self._replies.get(command, reply)
        return FetchedReply(current, forwarded=is_first and request.sent)

    def open(self, facts: SharedFacts, wake: Callable[[], None]) -> None:
        """Record that the daemon answers; `wake` is called when there is a request to send.

        Tools end whose messages do not come in real time any more, such as log lines after a
        flood.
        """
        lost = self.facts.realtime - facts.realtime if self.facts else frozenset()
        self.facts = facts
        self._wake = wake
        if self._requests:  # the poll came first
            wake()
        for tool in [tool for tool in self._tools if lost & tool.realtime]:
            tool.on_close()

    def close(self) -> None:
        """End the sessions of all tools: the daemon does not answer, or the session is over."""
        self.facts = None
        self._wake = lambda: None
        self.flush()
        self._drop_replies()
        for tool in list(self._tools):
            tool.on_close()

    def _drop_replies(self) -> None:
        """Drop all replies; those that tools wait for do not come."""
        self._replies.clear()
        while self._requests:
            self._requests.popitem()[1].resolve(None)

    def record(self, command: Command, reply: Reply) -> None:
        """Keep a reply, whatever its command was sent for, if tools ask for replies.

        Before a tool asks for the first one, only what holds for the whole session is kept: the
        histories of 1,000 daemons, all of which are read at the start, would take 20 MB.
        """
        if self._max_age is None or not (self._is_used or command in _CONSTANT):
            return
        cached = self._replies[command] = CachedReply(command, reply)
        asyncio.get_running_loop().call_later(self._max_age, self._expire, command, cached)
        if (request := self._requests.pop(command, None)) is not None:
            request.resolve(cached)

    def _expire(self, command: Command, reply: CachedReply) -> None:
        if self._replies.get(command) is reply and not self._is_constant(command):
            del self._replies[command]

    def _is_constant(self, command: Command) -> bool:
        """Return whether a reply holds for the whole session: behind a pass-through none does."""
        return command in _CONSTANT and self.facts is not None and "STATE" in self.facts.realtime

    def notify(self, message: Notification) -> None:
        """Pass on a real-time message, if it is one that tools may get."""
        keyword = message.keyword
        if self.facts is None or not (keyword in self.facts.realtime or keyword == FATAL):
            return
        for command in KEYWORDS.get(keyword, ()):
            if (cached := self._replies.get(command)) is not None:
                cached.add(message.payload)
        if self._tools:
            if not self._lines:  # the lines of one read are passed on together
                asyncio.get_running_loop().call_soon(self.flush)
            line = b">%b:%b\r\n" % (keyword.encode(), message.payload)
            self._lines.append((keyword, line))

    def flush(self) -> None:
        """Pass on the real-time messages so far: none comes after what is replied from now on."""
        lines, self._lines = self._lines, []
        texts: dict[frozenset[str], bytes] = {}
        for tool in list(self._tools) if lines else ():
            wanted = frozenset({*tool.realtime, FATAL})
            if wanted not in texts:
                texts[wanted] = b"".join(line for keyword, line in lines if keyword in wanted)
            if texts[wanted]:
                tool.on_lines(texts[wanted])

    async def send_requests(
        self, send: Callable[[Command], Awaitable[Reply]], *, is_due: Callable[[], bool]
    ) -> None:
        """Send what tools wait for, one command after the other, until a poll is due.

        Raises:
            ManagementError: a command was not answered in time, or the session is over.
        """
        while self._requests and not is_due():
            command, request = next(iter(self._requests.items()))
            request.sent = True
            try:
                await send(command)  # `record` gets its reply
            except ReplyTimeout:  # which has delayed the next poll
                self._timed_out |= {command}
                asyncio.get_running_loop().call_later(TIMEOUT_PAUSE, self._allow, command)
                raise
            except ReplyError:  # of another form
                self._requests.pop(command, None)
                request.resolve(None)

    def _allow(self, command: Command) -> None:
        """Let a command be sent again that was not answered in time."""
        self._timed_out -= {command}
