"""One session with a daemon, from its greeting to its end."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

import msgspec

from exporter.aio import yield_to_loop
from exporter.config.schema import DaemonConfig, SlotPolicy
from exporter.log import Level, event
from exporter.management.endpoint import ListenEndpoint
from exporter.management.errors import LogFloodError, ManagementError, PromptError, ReplyTimeout
from exporter.management.messages import Notification
from exporter.management.notifications import (
    ByteCount,
    ClientByteCount,
    LogLine,
    parse_notification,
)
from exporter.management.prompts import blocking_prompt
from exporter.management.replies import Poll
from exporter.monitor.client import LOG_VERBOSITY_LIMIT, ManagementClient
from exporter.monitor.log_rate_limit import LogRateLimit
from exporter.monitor.refresh import RefreshRequest
from exporter.secret import Secret
from exporter.state.daemon import DaemonState
from exporter.transport.connection import Connection

STATE_INTERVAL = 60.0
"""Seconds between checks of the state; real-time messages tell it in between."""

MAX_TIMEOUTS = 3
"""Polls in a row that may time out before the session is given up."""

_log = logging.getLogger(__name__)


class SessionSettings(msgspec.Struct, frozen=True):
    """How a daemon is visited."""

    daemon: DaemonConfig
    interval: float
    """Seconds between polls."""
    routes: bool
    """Whether each route is wanted."""
    log: bool
    """Whether the daemon's log is to be read."""

    @property
    def dialled_in(self) -> bool:
        """Whether the daemon came to us; it exits when we leave."""
        return isinstance(self.daemon.management, ListenEndpoint)

    @property
    def releases(self) -> bool:
        """Whether the slot is to be left after a poll."""
        return self.daemon.slot is SlotPolicy.RELEASE and not self.dialled_in


class ManagementSession:
    """Asks a daemon over one connection and hears what it says by itself."""

    def __init__(
        self,
        connection: Connection,
        record: DaemonState,
        manner: SessionSettings,
        *,
        clock: Callable[[], float],
        polled: Callable[[Poll | None], Awaitable[None]],
        demand: RefreshRequest,
    ) -> None:
        """Prepare to visit.

        `polled` is called after each poll, with None for one in silence. `demand` ends a rest.
        """
        self._connection = connection
        self._record = record
        self._manner = manner
        self._clock = clock
        self._polled = polled
        self._demand = demand
        self._inquirer = ManagementClient(
            connection, routes=manner.routes, live=not manner.releases
        )
        self._wake = asyncio.Event()
        self._aside: PromptError | None = None
        self._introduced = False
        self._silences = 0
        self._state_due = math.inf
        self._counts_bytes = False
        self._hears_log = False
        self._log_changed = False
        self._adopted = False
        self._flood = LogRateLimit()

    def adopt(self, manner: SessionSettings) -> None:
        """Go on in another manner, with a poll at once."""
        self._log_changed |= manner.log is not self._manner.log
        self._manner = manner
        self._connection.timeout = manner.daemon.timeout
        self._inquirer.adopt(routes=manner.routes)
        self._adopted = True
        self._wake.set()

    async def run(self, password: Secret | None, due: float) -> None:
        """Log in and poll until the session ends; return only where the slot is to be released.

        Args:
            password: of the management interface.
            due: the event loop's time of the second poll; the first comes at once.

        Raises:
            ManagementError: what ended the session.
        """
        self._record.on_connect()
        self._connection.subscribe(self._notice)
        try:
            await self._log_in(password)
            pause = 0.0
            while True:
                await self._turn()
                if self._manner.releases and not self._must_stay:
                    return
                if self._manner.releases and not self._inquirer.live:
                    # We stay after all: listen from the next poll on, the histories fill the gap.
                    self._inquirer.live = True
                    self._introduced = False
                due = _next(due, self._manner.interval, after=pause)
                pause = self._manner.interval if await self._rest(due) else 0.0
        finally:
            self._misread()

    async def _log_in(self, password: Secret | None) -> None:
        try:
            await self._connection.log_in(password)
        except ManagementError as error:
            self._record.on_poll_error(error)
            raise

    @property
    def _must_stay(self) -> bool:
        """Whether leaving would restart the VPN or end the daemon."""
        return self._manner.dialled_in or self._record.restarts_on_disconnect

    async def _turn(self) -> None:
        """Poll once; a silence is borne for a while, since leaving would help nobody."""
        try:
            await self._poll()
            self._silences = 0
        except ReplyTimeout as error:
            self._silences += 1
            # Anything may have happened meanwhile; and `pid`, asked first, finds the next reply.
            self._introduced = False
            if self._silences > MAX_TIMEOUTS and not self._must_stay:
                raise
            self._record.on_down(error)
            self._demand.cancel()
            await self._polled(None)
        self._misread()

    def _misread(self) -> None:
        lines = self._connection.pop_unparsed()
        if lines:  # else the record has not changed
            self._record.add_unparsed(lines)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self._log_changed or not self._introduced:
                self._log_changed = False
                await self._introduce()
            self._step_aside()
            await self._settle()
            asked = loop.time()
            poll = await self._inquirer.poll(self._record.on_status_received)
        except (PromptError, LogFloodError):
            raise
        except ManagementError as error:
            self._record.on_poll_error(error)
            raise
        duration = loop.time() - asked
        await yield_to_loop()  # reading ten thousand rows took its time; so will counting them
        self._record.on_poll(poll, now=self._clock(), duration=duration)
        await yield_to_loop()
        await self._polled(poll)

    async def _introduce(self) -> None:
        pid = await self._inquirer.identify()
        self._record.on_pid(pid)
        introduction = await self._inquirer.introduce(pid, self._record.on_state_history)
        self._record.on_info(introduction)
        if self._wants_log(introduction.verbosity):
            await self._inquirer.read_log(self._record.on_log_history)
            self._hears_log = True
        elif self._hears_log:
            await self._inquirer.mute_log()
            self._hears_log = False
        self._introduced = True
        self._state_due = asyncio.get_running_loop().time() + STATE_INTERVAL

    def _wants_log(self, verbosity: int) -> bool:
        return self._manner.log and not self._flood.tripped and verbosity <= LOG_VERBOSITY_LIMIT

    async def _settle(self) -> None:
        """Do what the last messages call for, and check the state now and then."""
        if self._flood.stop():
            event(
                _log,
                Level.WARN,
                "the daemon's log floods us; not reading it any more in this session",
                daemon=self._record.name,
            )
            await self._inquirer.mute_log()
        if self._counts_bytes:
            await self._inquirer.mute_byte_counts()
            self._counts_bytes = False
        now = asyncio.get_running_loop().time()
        if self._state_due <= now:
            self._state_due = now + STATE_INTERVAL
            await self._inquirer.check_state(self._record.on_state)

    async def _rest(self, due: float) -> bool:
        """Wait for the next poll, but for other manners, or somebody who needs the slot.

        Returns whether somebody wants the poll now, before it is due.
        """
        if not self._silences:
            self._demand.mark_fresh(self._wake.set)
        loop = asyncio.get_running_loop()
        while not (self._demand.pending or self._adopted) and (left := due - loop.time()) > 0:
            await self._connection.wait(self._wake, left)
            if self._connection.error is not None:
                raise self._connection.error
            if self._wake.is_set():
                self._wake.clear()
                self._step_aside()
        self._adopted = False
        return self._demand.pending

    def _step_aside(self) -> None:
        if self._aside is not None and not self._must_stay:
            raise self._aside

    def _end_flood(self) -> None:
        # From verb 8 on the daemon never gets to reading `log off`; where we must stay, the next
        # poll tries it all the same.
        if not self._must_stay:
            self._connection.abort(LogFloodError("the daemon's log floods us"))

    def _notice(self, message: Notification) -> None:
        reading = parse_notification(message)
        self._record.on_notification(message.keyword, reading)
        match reading:
            case LogLine():
                if self._flood.rises(asyncio.get_running_loop().time()):
                    self._end_flood()
            case ByteCount() | ClientByteCount():
                self._counts_bytes = True
            case _:
                reason = blocking_prompt(reading)
                if reason is not None:
                    self._aside = reason
                    self._wake.set()


def _next(due: float, interval: float, *, after: float) -> float:
    """Return the first time in steps of `interval` from `due` that is `after` seconds from now."""
    earliest = asyncio.get_running_loop().time() + after
    late = earliest - due
    if late < 0:  # no further away than an interval, which may have become shorter
        return min(due, earliest + interval)
    return due + interval * (math.floor(late / interval) + 1)
