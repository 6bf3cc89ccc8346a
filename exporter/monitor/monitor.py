"""The task of one daemon: visit it, wait, come back.

Monitors share nothing, so a daemon that hangs delays no other.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable

import msgspec

from exporter.aio import wait_for_event
from exporter.config.schema import ClientsConfig, DaemonConfig, EventsConfig
from exporter.log import Level, event
from exporter.management.errors import (
    AuthenticationFailed,
    DownReason,
    EndpointNotFound,
    LogFloodError,
    ManagementError,
    PasswordFileError,
    ProtocolError,
)
from exporter.management.replies import Poll
from exporter.monitor.backoff import Backoff
from exporter.monitor.password import read_management_password
from exporter.monitor.refresh import RefreshRequest
from exporter.monitor.session import ManagementSession, SessionSettings
from exporter.state.daemon import DaemonState
from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
from exporter.transport.history import CommandHistory

START_SPREAD = 1.0
"""Seconds over which the first connections of all daemons are spread."""

FORGET_INTERVAL = 60.0
"""Seconds of a wait after which a monitor looks up, to forget who was not seen for long."""

STUCK_REPLIES = 15
"""Replies that may each take their whole time before a monitor is taken for stuck."""

OnPolled = Callable[[DaemonState], Awaitable[None]]
"""Makes use of a record that was just polled, handing back to the event loop now and then."""

_log = logging.getLogger(__name__)


class Monitor:
    """Keeps the record of one daemon up to date for as long as `run` runs."""

    def __init__(
        self,
        daemon: DaemonConfig,
        clients: ClientsConfig,
        events: EventsConfig,
        *,
        poll_interval: float,
        prepare: OnPolled | None = None,
        phase: float = 0.0,
        clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
    ) -> None:
        """Prepare to watch `daemon`.

        Args:
            daemon: what the configuration says of it.
            clients: what is told about its clients.
            events: what is counted between polls.
            poll_interval: seconds between polls.
            prepare: makes use of the record after each poll that was answered, if anybody does.
            phase: 0 to 1, where in the interval this daemon is asked, so that many don't answer
                at once.
            clock: seconds since the epoch.
            chance: where the jitter of the backoff comes from.
        """
        self.daemon = DaemonState(daemon, clients)
        self.refresh_request = RefreshRequest()
        self._manner = SessionSettings(daemon, poll_interval, routes=clients.routes, log=events.log)
        self._prepare = prepare
        self._phase = phase
        self._clock = clock
        self._backoff = Backoff(
            chance or random.Random(),  # noqa: S311 -- jitter, no secret
            prompt_retry_interval=daemon.prompt_retry_interval,
        )
        self._opener = connector_for(daemon.management, timeout=daemon.timeout)
        self.history = CommandHistory()
        self._visiting: ManagementSession | None = None
        self._waits_for: ManagementError | None = None
        self._hurry = asyncio.Event()
        self._moved = math.inf
        self._announced: DownReason | None = None
        self._seen_up = False
        self._fell_back = False
        self._warned = False

    async def run(self) -> None:
        """Watch the daemon until cancelled; the last reply is read and `quit` said then."""
        loop = asyncio.get_running_loop()
        try:
            await asyncio.sleep(self._phase * START_SPREAD)
            while True:
                began = self._moved = loop.time()
                error = await self._visit(began + self._manner.interval * self._phase)
                if error is None:  # the slot is released until the next poll
                    await self._pause(began + self._manner.interval - loop.time())
                elif not self._waits_at_the_door(error):
                    self._waits_for = error
                    await self._pause(self._backoff.delay(error))
                    self._waits_for = None
        finally:
            await self._opener.close()

    def reconfigure(
        self,
        daemon: DaemonConfig,
        clients: ClientsConfig,
        events: EventsConfig,
        *,
        poll_interval: float,
    ) -> None:
        """Go on by other settings from the next poll on, which comes at once.

        Session and counters stay: leaving may cost the daemon more than any setting is worth. Its
        name and address, and what identifies its clients, must be the same.
        """
        self._manner = SessionSettings(daemon, poll_interval, routes=clients.routes, log=events.log)
        self.daemon.reconfigure(daemon, clients)
        self._backoff.prompt_retry_interval = daemon.prompt_retry_interval
        if not self._manner.dialled_in:  # else the open port is worth more than a new deadline
            self._opener = connector_for(daemon.management, timeout=daemon.timeout)
        if self._visiting is not None:
            self._visiting.adopt(self._manner)
        self._hurry.set()

    def retry_password(self) -> None:
        """Try the password again, if that is what the daemon refused: it may be another now."""
        if isinstance(self._waits_for, AuthenticationFailed | PasswordFileError):
            self._hurry.set()

    def is_stuck(self, now: float) -> bool:
        """Tell whether nothing has happened for longer than any wait can take.

        `now` is the event loop's time.
        """
        if self._manner.daemon.management is None:
            return False
        patience = (
            3 * self._manner.interval
            + STUCK_REPLIES * self._manner.daemon.timeout
            + FORGET_INTERVAL
        )
        return now - self._moved > patience

    async def _pause(self, seconds: float) -> None:
        """Wait before coming back, until somebody is in a hurry."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        self._hurry.clear()
        await asyncio.sleep(0)
        while (left := end - loop.time()) > 0 and not self._hurry.is_set():
            self._moved = loop.time()
            await wait_for_event(self._hurry, min(left, FORGET_INTERVAL))
            self.daemon.forget(self._clock())

    def _waits_at_the_door(self, error: ManagementError) -> bool:
        """Tell whether nobody has dialled in yet: listening goes on, or who does is not heard."""
        return self._manner.dialled_in and isinstance(error, EndpointNotFound)

    async def _visit(self, due: float) -> ManagementError | None:
        """Open one session and keep it until it ends; return why it ended, None if we left."""
        try:
            await self._visit_once(due)
        except LogFloodError:
            self._manner = msgspec.structs.replace(self._manner, log=False)
            self._warn("the daemon's log floods us; not reading it any more")
        except ManagementError as error:
            return self._went_down(error)
        except Exception as error:  # noqa: BLE001 -- the task's boundary: a bug must not end it
            event(_log, Level.ERROR, "bug", daemon=self.daemon.name, cause=error)
            return self._went_down(ProtocolError("this exporter failed; its log says where"))
        finally:
            self.refresh_request.cancel()
        return None

    def _went_down(self, error: ManagementError) -> ManagementError:
        self.daemon.on_down(error)
        self._announce_down()
        return error

    async def _visit_once(self, due: float) -> None:
        # Read anew for each session, so that it may be changed in its file.
        try:
            password = await read_management_password(self._manner.daemon)
            stream = await self._opener.connect()
        except ManagementError as error:
            self.daemon.on_poll_error(error)
            raise
        connection = Connection(stream, timeout=self._manner.daemon.timeout)
        self.history = connection.history
        visit = self._visiting = ManagementSession(
            connection,
            self.daemon,
            self._manner,
            clock=self._clock,
            polled=self._polled,
            demand=self.refresh_request,
        )
        try:
            await visit.run(password, due)
        finally:
            self._visiting = None
            await connection.close()

    async def _polled(self, poll: Poll | None) -> None:
        self._moved = asyncio.get_running_loop().time()
        if poll is None:
            self.daemon.forget(self._clock())
            self._announce_down()
            return
        self._backoff.reset()
        self._announce_up(poll)
        if self._prepare is not None:
            await self._prepare(self.daemon)

    def _announce_up(self, poll: Poll) -> None:
        if poll.fallback and not self._fell_back:
            self._warn(
                "status 3 does not end: a row of 512 bytes or more drops itself and all that "
                "follows; asking for status 1, which knows less"
            )
        self._fell_back = poll.fallback
        if self.daemon.restarts_on_disconnect and not self._warned:
            self._warned = True
            self._warn(
                "this daemon restarts its VPN when a management client leaves "
                "(--management-signal); staying connected, but the end of this exporter will do so"
            )
        if self._announced is not None or not self._seen_up:
            info = self.daemon.info
            version = info.version.version if info else ""
            event(_log, Level.INFO, "daemon is up", daemon=self.daemon.name, version=version)
        self._announced = None
        self._seen_up = True

    def _warn(self, sentence: str) -> None:
        event(_log, Level.WARN, sentence, daemon=self.daemon.name)

    def _announce_down(self) -> None:
        """Log a change, not every attempt."""
        reason = self.daemon.down_reason
        if self._announced is reason or reason is None:
            return
        self._announced = reason
        event(
            _log,
            Level.WARN,
            "daemon is down",
            daemon=self.daemon.name,
            reason=reason.value,
            error=self.daemon.down_message,
        )
