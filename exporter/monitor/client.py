"""What is asked of a daemon: once per session, and at each poll.

`load-stats` is left out of the daemon's own log; every other command writes a line into it at
verb 3, so we ask for little. Where the place of a reply in the stream matters, the record takes
it before any later message: what came before a history stands in it, what comes after does not.
"""

from collections.abc import Callable
from typing import TypeVar

from exporter.aio import run_cooperatively, yield_to_loop
from exporter.management import replies
from exporter.management.commands import Command
from exporter.management.errors import ReplyError, ReplyTimeout
from exporter.management.messages import ErrorReply, MultilineReply, Reply, SuccessReply
from exporter.management.notifications import LogLine
from exporter.management.replies import DaemonInfo, Poll
from exporter.management.state import State
from exporter.management.status import StatusReader
from exporter.management.values import clean_bytes
from exporter.transport.connection import Connection

STATUS_1_POLLS = 20
"""Polls answered by `status 1` before `status 3` is tried again, after it never ended."""

LOG_VERBOSITY_LIMIT = 7
"""Above it each line sent to us makes the daemon write more lines: 100,000 a second and more."""

_NOT_IN_THIS_MODE = b"is not supported by the current daemon mode"

_T = TypeVar("_T")


class ManagementClient:
    """Asks one daemon over one session."""

    def __init__(self, connection: Connection, *, routes: bool, live: bool) -> None:
        """Ask over `connection`.

        `routes` tells whether each route is wanted, `live` whether states and log lines are to be
        sent as they come: of no use to a session that ends with its first poll.
        """
        self._connection = connection
        self._reader = StatusReader(routes=routes)
        self.live = live
        self._status_1_polls = 0

    def adopt(self, *, routes: bool) -> None:
        """Read each route from the next status on, or none."""
        self._reader = StatusReader(routes=routes)

    async def identify(self) -> int:
        """Ask for the process id."""
        return await self._line(Command.PID, replies.parse_pid)

    async def introduce(
        self, pid: int, remember: Callable[[tuple[State, ...]], None]
    ) -> DaemonInfo:
        """Ask what doesn't change while the session lives; the state history goes to `remember`."""
        version = await self._listing(Command.VERSION, replies.parse_version)
        verbosity = await self._line(Command.VERB, replies.parse_verb)
        holds = await self._line(Command.HOLD, replies.parse_hold)
        if self.live:
            await self._line(Command.STATE_ON, bytes)
        await self._take_listing(Command.STATE_ALL, replies.parse_states, remember)
        return DaemonInfo(version, pid, verbosity, holds)

    async def read_log(self, remember: Callable[[tuple[LogLine, ...]], None]) -> None:
        """Ask for the log lines of the past, which go to `remember`, and for those to come."""
        if self.live:
            await self._line(Command.LOG_ON, bytes)
        await self._take_listing(Command.LOG_ALL, replies.parse_log_cache, remember)

    async def mute_log(self) -> None:
        """Ask for no more log lines."""
        await self._line(Command.LOG_OFF, bytes)

    async def mute_byte_counts(self) -> None:
        """Ask for no more byte counts, which an earlier client may have asked for (2.6.0-19)."""
        await self._line(Command.BYTECOUNT_OFF, bytes)

    async def check_state(self, take: Callable[[State], None]) -> None:
        """Ask for the current state, a check on the real-time messages; it goes to `take`."""

        def last(states: tuple[State, ...]) -> None:
            if states:
                take(states[-1])

        await self._take_listing(Command.STATE, replies.parse_states, last)

    async def poll(self, arrived: Callable[[], None]) -> Poll:
        """Ask for what changes; `arrived` is called at the place of the status in the stream.

        Raises:
            ManagementError: the answer could not be had whole; nothing of it counts.
        """
        load_stats = await self._line(Command.LOAD_STATS, replies.parse_load_stats)
        reply, fallback = await self._status(lambda _: arrived())
        if isinstance(reply, MultilineReply):
            await yield_to_loop()  # what was read with the end of the reply took its time
            status = await run_cooperatively(self._reader.read_in_chunks(reply.lines))
            return Poll(load_stats, status, fallback)
        if isinstance(reply, ErrorReply) and reply.text.endswith(_NOT_IN_THIS_MODE):
            return Poll(load_stats, None)
        raise _refusal(Command.STATUS_1 if fallback else Command.STATUS_3, reply)

    async def _status(self, on_reply: Callable[[Reply], None]) -> tuple[Reply, bool]:
        """Ask for `status 3`; if that never ends, for `status 1`, whose rows can't overflow."""
        request = self._connection.request
        if self._status_1_polls:
            self._status_1_polls -= 1
            return await request(Command.STATUS_1, on_reply=on_reply), True
        try:
            return await request(Command.STATUS_3, on_reply=on_reply), False
        except ReplyTimeout:
            if not await self._connection.resynchronise():  # late, not without an end
                return await request(Command.STATUS_3, on_reply=on_reply), False
        self._status_1_polls = STATUS_1_POLLS
        return await request(Command.STATUS_1, on_reply=on_reply), True

    async def _line(self, command: Command, parse: Callable[[bytes], _T]) -> _T:
        reply = await self._connection.request(command)
        if isinstance(reply, SuccessReply):
            return parse(reply.text)
        raise _refusal(command, reply)

    async def _listing(self, command: Command, parse: Callable[[tuple[bytes, ...]], _T]) -> _T:
        reply = await self._connection.request(command)
        if isinstance(reply, MultilineReply):
            return parse(reply.lines)
        raise _refusal(command, reply)

    async def _take_listing(
        self,
        command: Command,
        parse: Callable[[tuple[bytes, ...]], _T],
        take: Callable[[_T], None],
    ) -> None:
        """Give the parsed reply to `take` at its place in the stream."""

        def on_reply(reply: Reply) -> None:
            if isinstance(reply, MultilineReply):
                take(parse(reply.lines))

        reply = await self._connection.request(command, on_reply=on_reply)
        if not isinstance(reply, MultilineReply):
            raise _refusal(command, reply)


def _refusal(command: Command, reply: Reply) -> ReplyError:
    said = clean_bytes(reply.text) if isinstance(reply, SuccessReply | ErrorReply) else "a listing"
    return ReplyError(f"the daemon answers '{command.text}' with: {said}")
