"""The commands of one management session, and of one poll, with their replies parsed.

`load-stats` leaves no trace in the daemon's log; every other command writes a line into it at
verb 3, so few are sent. The callback of a history reply runs before later notifications are
dispatched, so that no entry is lost or counted twice.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from exporter.aio import run_cooperatively
from exporter.management import replies
from exporter.management.batches import Steps
from exporter.management.commands import Command
from exporter.management.errors import ReplyError, ReplyTimeout
from exporter.management.messages import ErrorReply, MultilineReply, Reply, SuccessReply
from exporter.management.notifications import LogLine
from exporter.management.replies import DaemonInfo, Poll
from exporter.management.state import State
from exporter.management.status import StatusReader
from exporter.management.values import clean_bytes
from exporter.transport.connection import Connection, ReplyCallback

STATUS_1_POLLS = 20
"""Polls that use `status 1` before `status 3` is tried again, after it did not end."""

_NOT_IN_THIS_MODE = b"is not supported by the current daemon mode"

_T = TypeVar("_T")


OnCommand = Callable[[Command, ReplyError | None], None]
"""Called after each command but `status`, with the error if its reply could not be used."""


class ManagementClient:
    """Sends the commands of one session.

    Only a reply to `status` is required. If the daemon refuses another command, or if its reply
    can't be parsed, the method returns None and `on_command` gets the error. A command without any
    reply is a timeout, and from the next poll on it is not sent again.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        realtime: bool,
        on_command: OnCommand = lambda *_: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`realtime` switches states and log lines on.

        It is useless if the session ends at once, and forbidden in a pass-through, where they would
        stay on for the management client that owns the session with the daemon.
        """
        self.realtime = realtime
        self._connection = connection
        self._on_command = on_command
        self._clock = clock
        self._routes = False
        self._reader = StatusReader(routes=False)
        self._status_1_polls = 0

    @property
    def uses_status_1(self) -> bool:
        """Whether polls send `status 1`, since `status 3` did not end."""
        return self._status_1_polls > 0

    async def fetch_pid(self) -> int | None:
        """Send `pid`."""
        return await self._request_line(Command.PID, replies.parse_pid)

    async def fetch_pass_through(self) -> bool | None:
        """Send `hold`; return whether another management client answered, None if it is unknown."""
        return await self._request_line(Command.HOLD, replies.parse_hold)

    async def fetch_states(self, on_history: Callable[[tuple[State, ...]], None]) -> None:
        """Send `state all`; `on_history` gets the reply."""
        await self._request_lines(Command.STATE_ALL, replies.parse_states, on_history)

    async def fetch_info(
        self, pid: int | None, on_history: Callable[[tuple[State, ...]], None]
    ) -> DaemonInfo:
        """Send what is asked once a session; `on_history` gets the reply to `state all`."""
        version = await self._request_lines(Command.VERSION, replies.parse_version)
        verbosity = await self._request_line(Command.VERB, replies.parse_verb)
        if self.realtime:
            await self._request_line(Command.STATE_ON, bytes)
        await self.fetch_states(on_history)
        return DaemonInfo(version, pid, verbosity)

    async def fetch_log(self, on_history: Callable[[tuple[LogLine, ...]], Steps[None]]) -> None:
        """Send `log on` and `log all`; `on_history` takes the reply to the latter in steps."""
        if self.realtime:
            await self._request_line(Command.LOG_ON, bytes)

        def take(reply: Reply) -> Steps[None]:
            if not isinstance(reply, MultilineReply):
                raise _reply_error(Command.LOG_ALL, reply)
            lines = yield from replies.parse_log_cache(reply.lines)
            yield from on_history(lines)

        await self._request(Command.LOG_ALL, take)

    async def disable_log(self) -> None:
        """Send `log off`."""
        await self._request_line(Command.LOG_OFF, bytes)

    async def disable_byte_counts(self) -> None:
        """Send `bytecount 0`: 2.6.0 to 2.6.19 go on with what an earlier client asked for."""
        await self._request_line(Command.BYTECOUNT_OFF, bytes)

    async def check_state(self, on_state: Callable[[State], None]) -> None:
        """Send `state`, a check on the real-time messages."""

        def last(states: tuple[State, ...]) -> None:
            if states:
                on_state(states[-1])

        await self._request_lines(Command.STATE, replies.parse_states, last)

    async def poll(self, on_status: Callable[[], None], *, routes: bool) -> Poll:
        """Send `load-stats` and `status`; `on_status` is called when the status is received.

        `routes` reads each route of the routing table.

        Raises:
            ManagementError: a reply is missing or incomplete, or that to `status` can't be used;
                nothing of the poll counts.
        """
        load_stats = await self._request_line(Command.LOAD_STATS, replies.parse_load_stats)

        def on_reply(_: Reply) -> Iterable[None]:
            on_status()
            return ()

        reply, used_status_1 = await self._request_status(on_reply)
        if isinstance(reply, MultilineReply):
            if routes is not self._routes:
                self._routes, self._reader = routes, StatusReader(routes=routes)
            batches = self._reader.read_in_batches(reply.lines, printed_at=self._clock())
            status = await run_cooperatively(batches)
            return Poll(load_stats, status, used_status_1)
        if isinstance(reply, ErrorReply) and reply.text.endswith(_NOT_IN_THIS_MODE):
            return Poll(load_stats, None)
        raise _unexpected_reply(Command.STATUS_1 if used_status_1 else Command.STATUS_3, reply)

    async def _request_status(self, on_reply: ReplyCallback) -> tuple[Reply, bool]:
        """Send `status 3`; if it does not end, `status 1`, whose rows have no limit of length."""
        request = self._connection.request
        if self._status_1_polls:
            self._status_1_polls -= 1
            return await request(Command.STATUS_1, on_reply=on_reply), True
        try:
            return await request(Command.STATUS_3, on_reply=on_reply), False
        except ReplyTimeout:
            if not await self._connection.resynchronise():  # the reply was only late
                return await request(Command.STATUS_3, on_reply=on_reply), False
        self._status_1_polls = STATUS_1_POLLS
        return await request(Command.STATUS_1, on_reply=on_reply), True

    async def _request_line(self, command: Command, parse: Callable[[bytes], _T]) -> _T | None:
        """Send a command with a reply of one line; return None if that can't be used."""

        def parse_reply(reply: Reply) -> _T:
            if isinstance(reply, SuccessReply):
                return parse(reply.text)
            raise _reply_error(command, reply)

        return await self._request_value(command, parse_reply)

    async def _request_lines(
        self,
        command: Command,
        parse: Callable[[Sequence[bytes]], _T],
        on_parsed: Callable[[_T], None] = lambda _: None,
    ) -> _T | None:
        """Send a command with a reply of several lines; return None if that can't be used."""

        def parse_reply(reply: Reply) -> _T:
            if not isinstance(reply, MultilineReply):
                raise _reply_error(command, reply)
            value = parse(reply.lines)
            on_parsed(value)
            return value

        return await self._request_value(command, parse_reply)

    async def _request_value(self, command: Command, parse: Callable[[Reply], _T]) -> _T | None:
        """Send a command whose reply is parsed at once."""
        values: list[_T] = []

        def take(reply: Reply) -> Iterable[None]:
            values.append(parse(reply))
            return ()

        await self._request(command, take)
        return values[0] if values else None

    async def _request(self, command: Command, take: ReplyCallback) -> None:
        """Send a command; its reply is taken when it is received."""
        if command in self._connection.unanswered:
            self._on_command(command, ReplyError(f"the daemon does not answer '{command.text}'"))
            return

        def on_reply(reply: Reply) -> Steps[None]:
            try:
                yield from take(reply)
            except ReplyError as error:
                self._on_command(command, error)
            else:
                self._on_command(command, None)

        with contextlib.suppress(ReplyError):  # another form, which `take` has found, too
            await self._connection.request(command, on_reply=on_reply)


def _unexpected_reply(command: Command, reply: Reply) -> ReplyError:
    if isinstance(reply, MultilineReply):
        return ReplyError(f"unexpected reply to '{command.text}': several lines")
    return ReplyError(f"unexpected reply to '{command.text}': {clean_bytes(reply.text)}")


def _reply_error(command: Command, reply: Reply) -> ReplyError:
    if isinstance(reply, ErrorReply):  # its text may repeat a password, see CommandHistory
        return ReplyError(f"the daemon refuses '{command.text}'")
    return ReplyError(f"a reply to '{command.text}' of another form")
