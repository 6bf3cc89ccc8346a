"""What is asked of a daemon: once per session, and at each poll.

`load-stats` is left out of the daemon's own log; every other command writes a line into it at
verb 3, so we ask for little.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from exporter.management import replies
from exporter.management.commands import Command
from exporter.management.errors import ReplyError, TimedOut
from exporter.management.messages import Failure, Listing, Reply, Success
from exporter.management.replies import LoadStats, Version
from exporter.management.state import State
from exporter.management.status import Status, parse_status
from exporter.management.text import clean_bytes
from exporter.transport.connection import Connection

STATUS_1_POLLS = 20
"""Polls answered by `status 1` before `status 3` is tried again, after it never ended."""

_NOT_IN_THIS_MODE = b"is not supported by the current daemon mode"

_T = TypeVar("_T")


class Introduction(msgspec.Struct, frozen=True):
    """What a daemon says of itself at the beginning of a session."""

    version: Version
    pid: int
    verbosity: int
    holds: bool
    history: tuple[State, ...]


class Poll(msgspec.Struct, frozen=True):
    """One complete answer.

    `status` is None while the daemon has none: it is held, asks for a password, or restarts.
    `fallback` tells that `status 1` had to do.
    """

    load_stats: LoadStats
    status: Status | None
    fallback: bool = False


class Inquirer:
    """Asks one daemon over one session."""

    def __init__(self, connection: Connection, *, routes: bool) -> None:
        """Ask over `connection`; `routes` tells whether each route is wanted."""
        self._connection = connection
        self._routes = routes
        self._status_1_polls = 0

    async def introduce(self) -> Introduction:
        """Ask what doesn't change while the session lives."""
        await self._line(Command.STATE_ON, bytes)
        return Introduction(
            version=await self._listing(Command.VERSION, replies.parse_version),
            pid=await self._line(Command.PID, replies.parse_pid),
            verbosity=await self._line(Command.VERB, replies.parse_verb),
            holds=await self._line(Command.HOLD, replies.parse_hold),
            history=await self._listing(Command.STATE_ALL, replies.parse_states),
        )

    async def state(self) -> State | None:
        """Ask for the current state: a check on the real-time messages."""
        states = await self._listing(Command.STATE, replies.parse_states)
        return states[-1] if states else None

    async def poll(self) -> Poll:
        """Ask for what changes.

        Raises:
            ManagementError: the answer could not be had whole; nothing of it counts.
        """
        load_stats = await self._line(Command.LOAD_STATS, replies.parse_load_stats)
        reply, fallback = await self._status()
        if isinstance(reply, Listing):
            status = parse_status(reply.lines, routes=self._routes)
            return Poll(load_stats, status, fallback)
        if isinstance(reply, Failure) and reply.text.endswith(_NOT_IN_THIS_MODE):
            return Poll(load_stats, None)
        raise _refusal(Command.STATUS_3, reply)

    async def _status(self) -> tuple[Reply, bool]:
        """Ask for `status 3`; if that never ends, for `status 1`, whose rows can't overflow."""
        if self._status_1_polls:
            self._status_1_polls -= 1
            return await self._connection.request(Command.STATUS_1), True
        try:
            return await self._connection.request(Command.STATUS_3), False
        except TimedOut:
            await self._connection.resynchronise()
        self._status_1_polls = STATUS_1_POLLS
        return await self._connection.request(Command.STATUS_1), True

    async def _line(self, command: Command, parse: Callable[[bytes], _T]) -> _T:
        reply = await self._connection.request(command)
        if isinstance(reply, Success):
            return parse(reply.text)
        raise _refusal(command, reply)

    async def _listing(self, command: Command, parse: Callable[[tuple[bytes, ...]], _T]) -> _T:
        reply = await self._connection.request(command)
        if isinstance(reply, Listing):
            return parse(reply.lines)
        raise _refusal(command, reply)


def _refusal(command: Command, reply: Reply) -> ReplyError:
    said = clean_bytes(reply.text) if isinstance(reply, Success | Failure) else "a listing"
    return ReplyError(f"the daemon answers '{command.text}' with: {said}")
