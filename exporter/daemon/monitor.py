"""The task of one daemon: connect, ask, wait, come back.

Monitors share nothing, so a daemon that hangs delays no other. A daemon that stopped answering
keeps its session for a while: giving up the slot helps nobody, and a daemon that dialled in
(`--management-client`) would exit.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable
from typing import Never

from exporter.config.password import read_password
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.daemon.backoff import Backoff
from exporter.daemon.poll import Inquirer, Poll
from exporter.daemon.record import Record
from exporter.log import Level, event
from exporter.management.endpoint import ListenEndpoint
from exporter.management.errors import (
    AuthenticationFailed,
    DownReason,
    ManagementError,
    ProtocolError,
    SessionClosed,
    TimedOut,
)
from exporter.management.messages import Notification
from exporter.management.notifications import parse_notification
from exporter.management.secret import Secret
from exporter.transport.connection import Connection
from exporter.transport.opening import opener

STATE_INTERVAL = 60.0
"""Seconds between checks of the state; real-time messages tell it in between."""

START_SPREAD = 1.0
"""Seconds over which the first connections of all daemons are spread."""

PATIENCE = 3
"""Polls in a row that may time out before the session is given up."""

_log = logging.getLogger(__name__)


class Monitor:
    """Keeps the record of one daemon up to date for as long as `run` runs."""

    def __init__(
        self,
        daemon: DaemonConfig,
        clients: ClientsConfig,
        *,
        poll_interval: float,
        phase: float = 0.0,
        clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
    ) -> None:
        """Prepare to watch `daemon`.

        Args:
            daemon: what the configuration says of it.
            clients: what is told about its clients.
            poll_interval: seconds between polls.
            phase: 0 to 1, where in the interval this daemon is asked, so that many don't answer
                at once.
            clock: seconds since the epoch.
            chance: where the jitter of the backoff comes from.
        """
        self.record = Record(daemon, clients)
        self._daemon = daemon
        self._routes = clients.routes
        self._interval = poll_interval
        self._phase = phase
        self._clock = clock
        self._backoff = Backoff(chance or random.Random())  # noqa: S311 -- jitter, no secret
        self._state_due = 0.0
        self._fell_back = False
        self._opener = opener(daemon.management, timeout=daemon.timeout)
        self._announced: DownReason | None = None
        self._seen_up = False

    async def run(self) -> None:
        """Watch the daemon until cancelled; the last reply is read and `quit` said then."""
        try:
            await asyncio.sleep(self._phase * START_SPREAD)
            while True:
                reason = await self._visit()
                await asyncio.sleep(self._backoff.delay(reason))
        finally:
            await self._opener.close()

    async def _visit(self) -> DownReason:
        """Open one session and keep it until it ends; return why it ended."""
        try:
            password = await self._password()
            stream = await self._opener.open()
            connection = Connection(stream, timeout=self._daemon.timeout)
            connection.subscribe(self._notice)
            try:
                await connection.log_in(password)
                self.record.opened()
                await self._attend(connection)
            finally:
                self.record.unparsed_lines += connection.take_unparsed()
                await connection.close()
        except ManagementError as error:
            self._went_down(error)
            return error.reason
        except Exception as error:  # noqa: BLE001 -- the task's boundary: a bug must not end it
            event(_log, Level.ERROR, "bug", daemon=self.record.name, cause=error)
            self._went_down(ProtocolError("this exporter failed; its log says where"))
            return DownReason.PROTOCOL

    async def _password(self) -> Secret | None:
        """Read the password anew for each session, so that it may be changed in its file."""
        if self._daemon.password_file is None:
            return None
        try:
            return await asyncio.to_thread(read_password, self._daemon.password_file)
        except ValueError as error:
            raise AuthenticationFailed(str(error)) from error

    async def _attend(self, connection: Connection) -> Never:
        """Poll over one session until it ends."""
        loop = asyncio.get_running_loop()
        inquirer = Inquirer(connection, routes=self._routes)
        # The first poll comes at once, the second in this daemon's part of the interval.
        due = loop.time() + self._interval * self._phase
        silences = 0
        while True:
            try:
                await self._poll(connection, inquirer, again=silences > 0)
                silences = 0
            except TimedOut as error:
                silences += 1
                self._went_down(error)
                if silences > PATIENCE and not self._dialled_in:
                    raise
            self.record.unparsed_lines += connection.take_unparsed()
            if due <= loop.time():
                due += self._interval * math.ceil((loop.time() - due) / self._interval + 1e-9)
            if await connection.lost(due - loop.time()):
                raise connection.error or SessionClosed("the session ended")

    @property
    def _dialled_in(self) -> bool:
        return isinstance(self._daemon.management, ListenEndpoint)

    async def _poll(self, connection: Connection, inquirer: Inquirer, *, again: bool) -> None:
        """Ask once; `again` after a silence, in which anything may have happened."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            if again:
                await connection.resynchronise()
            if again or self.record.introduction is None:
                self.record.introduced(await inquirer.introduce())
                self._state_due = started + STATE_INTERVAL
            elif self._state_due <= started:
                self.record.stated(await inquirer.state())
                self._state_due = started + STATE_INTERVAL
            asked = loop.time()
            poll = await inquirer.poll()
        except ManagementError as error:
            self.record.poll_failed(error)
            raise
        self.record.polled(poll, now=self._clock(), duration=loop.time() - asked)
        self._came_up(poll)

    def _notice(self, message: Notification) -> None:
        self.record.noticed(parse_notification(message))

    def _came_up(self, poll: Poll) -> None:
        self._backoff.reset()
        if poll.fallback and not self._fell_back:
            event(
                _log,
                Level.WARN,
                "status 3 does not end: a row of 512 bytes or more drops itself and all that "
                "follows; asking for status 1, which knows less",
                daemon=self.record.name,
            )
        self._fell_back = poll.fallback
        if self._announced is not None or not self._seen_up:
            introduction = self.record.introduction
            version = introduction.version.version if introduction else ""
            event(_log, Level.INFO, "daemon is up", daemon=self.record.name, version=version)
        self._announced = None
        self._seen_up = True

    def _went_down(self, error: ManagementError) -> None:
        self.record.went_down(error)
        self._announce(error)

    def _announce(self, error: ManagementError) -> None:
        """Log a change, not every attempt."""
        if self._announced is error.reason:
            return
        self._announced = error.reason
        event(
            _log,
            Level.WARN,
            "daemon is down",
            daemon=self.record.name,
            reason=error.reason.value,
            error=self.record.down_message,
        )
