"""One management session, from the greeting to the end."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from exporter.aio import Wakeup, begin_in_turn, run_cooperatively
from exporter.config.schema import PassThrough
from exporter.config.target import Target
from exporter.log import Level, event
from exporter.management.commands import NO_COMMANDS, Command
from exporter.management.errors import (
    LogFloodError,
    ManagementError,
    PromptError,
    ReplyError,
    ReplyTimeout,
)
from exporter.management.replies import Poll
from exporter.monitor.client import ManagementClient
from exporter.monitor.log_stream import LogStream
from exporter.monitor.password import ManagementPassword, read_management_password
from exporter.monitor.realtime import RealtimeMessages
from exporter.monitor.refresh import RefreshRequest
from exporter.monitor.schedule import next_due
from exporter.monitor.shared_session import STATUS_3, SharedFacts, SharedSession, live_keywords
from exporter.state.daemon import DaemonState
from exporter.transport.connection import Connection
from exporter.transport.connector import Connector
from exporter.transport.history import CommandHistory
from exporter.transport.reverse import ReverseConnector

STATE_INTERVAL = 60.0
"""Seconds between checks of the state; real-time messages report it in between."""

MAX_TIMEOUTS = 3
"""Consecutive polls that may time out before the session ends."""

OnPolled = Callable[[Poll | None], Awaitable[None]]
"""Called after each poll, with None after a poll that timed out."""

_log = logging.getLogger(__name__)


async def _ignore(_: Poll | None) -> None:
    pass


class ManagementSession:
    """Polls a daemon over one connection, and takes its real-time messages."""

    _connection: Connection
    _client: ManagementClient

    def __init__(
        self,
        daemon: DaemonState,
        connector: Connector,
        *,
        realtime: bool | None = None,
        read_log: bool = True,
        clock: Callable[[], float] = time.time,
        on_polled: OnPolled = _ignore,
        refresh_request: RefreshRequest | None = None,
        shared: SharedSession | None = None,
    ) -> None:
        """Prepare a session; `run` or `run_once` connects.

        Args:
            daemon: gets what the session learns; its target says how to poll.
            connector: opens the connection.
            realtime: switches states and log lines on; by default unless the slot is released.
            read_log: False after a flood of log lines, whatever the target says.
            clock: seconds since the epoch.
            on_polled: see `OnPolled`.
            refresh_request: a poll that is requested before it is due.
            shared: the session as other management clients use it.
        """
        self.history: CommandHistory | None = None
        """The last commands with their replies, None before the session is connected."""
        self.password = ManagementPassword()
        """The password that the session logs in with."""
        self._daemon = daemon
        self._connector = connector
        self._realtime = not daemon.target.releases_slot if realtime is None else realtime
        self._clock = clock
        self._on_polled = on_polled
        self._refresh_request = refresh_request or RefreshRequest()
        self._shared = shared or SharedSession()
        self._wakeup = Wakeup()
        self._wake = self._wakeup.set
        self._reconfigured = False
        self._info_fetched = False
        self._state_due = math.inf
        self._consecutive_timeouts = 0
        self._answered = False
        self._log = LogStream(allowed=read_log)
        self._messages = RealtimeMessages(
            daemon, self._log, self._shared, wake=self._wake, abort=self._abort
        )
        self._pass_through = False
        self._setting = daemon.target.daemon.pass_through

    def reconfigure(self) -> None:
        """Apply the daemon's target, which has changed, with a poll at once."""
        self._log.allowed = True
        self._reconfigured = True
        self._wake()

    def release(self) -> None:
        """Drop all that it has, some of which refers to it: it ends with its last user.

        In a cycle it would stay until a full garbage collection, from which it may be exempt.
        """
        if self.history is not None:  # else it was not connected
            self._connection.release()
        vars(self).clear()

    async def run(self, due: float) -> None:
        """Log in and poll until the session ends; return only to release the slot.

        Args:
            due: the event loop's time of the second poll; the first starts at once.

        Raises:
            ManagementError: what ended the session.
        """
        await self._connect()
        try:
            await self._log_in()
            pause = 0.0
            while True:
                await self._poll_once()
                if self._target.releases_slot and not self._disconnect_is_harmful:
                    return
                if self._target.releases_slot and not (self._client.realtime or self._pass_through):
                    # The session stays after all: the histories fill the gap at the next poll.
                    self._client.realtime = True
                    self._info_fetched = False
                due = next_due(due, self._target.poll_interval, after=pause)
                refreshed = await self._wait_for_next_poll(due)
                await begin_in_turn()
                pause = self._target.poll_interval if refreshed else 0.0
        finally:
            await self._close()

    async def run_once(self) -> None:
        """Log in and poll once.

        Raises:
            ManagementError: what ended the session.
        """
        await self._connect()
        try:
            await self._log_in()
            await self._do_poll()
        finally:
            await self._close()

    async def _connect(self) -> None:
        """Open the connection; a failure counts as a failed poll."""
        daemon = self._target.daemon
        try:
            # The password is read anew each time, so that it may be changed in its file.
            if not self._target.is_reverse:  # its connector logs in
                self.password = await read_management_password(daemon)
            stream = await self._connector.connect()
        except ManagementError as error:
            self._daemon.on_poll_error(error)
            raise
        self._connection = Connection(stream, timeout=daemon.timeout)
        self._client = ManagementClient(
            self._connection,
            realtime=self._realtime,
            on_command=self._on_command,
            clock=self._clock,
        )
        self.history = self._connection.history

    async def _log_in(self) -> None:
        """Wait for the greeting; a failure counts as a failed poll."""
        self._daemon.on_connect()
        self._connection.subscribe(self._messages.feed)
        self._connection.on_other_lines = self._messages.count_other_lines
        self._connection.on_reply = self._shared.record
        self._connection.on_end = self._wake
        try:
            await self._connection.log_in(self.password.secret)
        except ManagementError as error:
            self._daemon.on_poll_error(error)
            raise

    async def _close(self) -> None:
        self._shared.close()
        self._record_unparsed()
        await self._connection.close()

    @property
    def _target(self) -> Target:
        return self._daemon.target

    @property
    def _disconnect_is_harmful(self) -> bool:
        """Whether the daemon restarts its VPN or exits when the session ends."""
        restarts = self._daemon.restarts_on_disconnect and not self._pass_through
        return self._target.is_reverse or restarts

    def _is_given_up(self) -> bool:
        """Return whether to end the session after timeouts.

        A daemon that connected to us exits then. So it is given up only for another that waits,
        and at once if it has not answered yet: it may be no daemon.
        """
        too_many = self._consecutive_timeouts > MAX_TIMEOUTS
        if isinstance(self._connector, ReverseConnector):
            return self._connector.has_waiting_peer and (too_many or not self._answered)
        return too_many and not self._disconnect_is_harmful

    async def _poll_once(self) -> None:
        """Poll; tolerate up to MAX_TIMEOUTS timeouts: reconnecting does not help a stuck daemon."""
        try:
            await self._do_poll()
            self._consecutive_timeouts = 0
            self._answered = True
        except ReplyTimeout as error:
            self._consecutive_timeouts += 1
            # Messages may be lost; and `pid`, which is sent first, finds the next reply.
            self._info_fetched = False
            if self._is_given_up():
                raise
            self._daemon.on_down(error)
            self._refresh_request.cancel()
            self._shared.close()
            await self._on_polled(None)
        self._record_unparsed()

    async def _do_poll(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._apply_target()
            if not self._info_fetched:
                await self._fetch_info()
            elif self._pass_through:
                await self._fetch_histories()
            self._raise_prompt()
            await self._run_pending_commands()
            started_at = loop.time()
            poll = await self._client.poll(
                self._daemon.on_status_received, routes=self._target.clients.routes
            )
        except (PromptError, LogFloodError):
            raise
        except ManagementError as error:
            self._daemon.on_poll_error(error)
            raise
        duration = loop.time() - started_at
        self._shared.open(self._shared_facts(), self._wake)
        since = self._daemon.monitored_since
        monitored_for = 0.0 if since is None else started_at - since
        await run_cooperatively(
            self._daemon.on_poll(
                poll, now=self._clock(), duration=duration, monitored_for=monitored_for
            )
        )
        await self._on_polled(poll)

    def _apply_target(self) -> None:
        self._connection.timeout = self._target.daemon.timeout
        setting = self._target.daemon.pass_through
        log_changed = self._log.apply(configured=self._target.events.log)
        if log_changed or setting is not self._setting:
            self._setting = setting
            self._info_fetched = False

    async def _fetch_info(self) -> None:
        pid = await self._client.fetch_pid()
        if pid is not None:
            self._daemon.on_pid(pid)
        await self._detect_pass_through()
        info = await self._client.fetch_info(pid, self._daemon.on_state_history)
        self._daemon.on_info(info)
        reads_log = self._log.is_readable(info.verbosity, realtime=self._client.realtime)
        if self._log.enabled and not (reads_log and self._client.realtime):
            await self._client.disable_log()
            self._log.enabled = False
        if reads_log:
            await self._client.fetch_log(self._daemon.on_log_history)
            self._log.enabled = self._client.realtime
        self._info_fetched = True
        self._state_due = asyncio.get_running_loop().time() + STATE_INTERVAL

    async def _detect_pass_through(self) -> None:
        """Find out who answers, before anything is switched on.

        A reply to `hold` that is not the daemon's shows another program. In it nothing is ever
        switched on: it would stay on after this session, and OpenVPN's requests to admit a VPN
        client that come right after a log line do not reach the program.
        """
        answered = await self._client.fetch_pass_through()
        if self._setting is PassThrough.AUTO:
            self._pass_through = answered is not False
        else:
            self._pass_through = self._setting is PassThrough.TRUE
        self._messages.pass_through = self._pass_through
        self._client.realtime = self._realtime and not self._pass_through
        self._daemon.on_pass_through(pass_through=self._pass_through)

    async def _fetch_histories(self) -> None:
        """Read what happened since the last poll, as no real-time messages report it."""
        await self._client.fetch_states(self._daemon.on_state_history)
        verbosity = self._daemon.info.verbosity if self._daemon.info else None
        if self._log.is_readable(verbosity, realtime=self._client.realtime):
            await self._client.fetch_log(self._daemon.on_log_history)

    async def _run_pending_commands(self) -> None:
        """Send what the last messages call for, and check the state once a minute."""
        if self._log.pop_flood():
            event(
                _log,
                Level.WARN,
                "too many log lines, log events off for this session",
                daemon=self._daemon.name,
            )
            await self._client.disable_log()
        if self._messages.byte_counts and not self._pass_through:
            await self._client.disable_byte_counts()
            self._messages.byte_counts = False
        now = asyncio.get_running_loop().time()
        if self._state_due <= now and not self._pass_through:
            self._state_due = now + STATE_INTERVAL
            await self._client.check_state(self._daemon.on_state)

    async def _wait_for_next_poll(self, due: float) -> bool:
        """Wait until `due`, a refresh request, another configuration, a prompt, or the end.

        Returns whether the next poll was requested before it is due.
        """
        if not self._consecutive_timeouts:
            self._refresh_request.mark_fresh(self._wake)
        while not self._is_due(due):
            await self._wakeup.wait(due - asyncio.get_running_loop().time())
            if self._connection.error is not None:
                raise self._connection.error
            if self._wakeup.is_set:
                self._wakeup.clear()
                self._raise_prompt()
                if not await self._send_requests(due):
                    break
        self._reconfigured = False
        return self._refresh_request.pending

    def _is_due(self, due: float) -> bool:
        requested = self._refresh_request.pending or self._reconfigured
        return requested or asyncio.get_running_loop().time() >= due or self._is_leaving

    async def _send_requests(self, due: float) -> bool:
        """Send what other clients wait for; return False after a timeout: a poll finds the end."""
        try:
            await self._shared.send_requests(
                self._connection.request, is_due=lambda: self._is_due(due)
            )
        except ReplyTimeout:
            self._shared.close()
            self._info_fetched = False
            return False
        return True

    def _shared_facts(self) -> SharedFacts:
        return SharedFacts(
            self._messages.management_version,
            self._daemon.version,
            live_keywords(states=self._client.realtime, log=self._log.is_live),
            STATUS_3 if self._client.uses_status_1 else NO_COMMANDS,
        )

    def _raise_prompt(self) -> None:
        """End the session if the daemon waits for another management client."""
        if self._messages.prompt is not None and self._is_leaving:
            raise self._messages.prompt

    @property
    def _is_leaving(self) -> bool:
        return self._messages.prompt is not None and not self._disconnect_is_harmful

    def _record_unparsed(self) -> None:
        if lines := self._connection.pop_unparsed():  # else the state has not changed
            self._daemon.add_unparsed(lines)

    def _on_command(self, command: Command, error: ReplyError | None) -> None:
        if error is not None or command in self._daemon.failed_commands.errors:
            self._daemon.on_command(command, error)

    def _abort(self, error: ManagementError) -> None:
        """End the session for a flood, unless that harms the daemon."""
        if not self._disconnect_is_harmful:
            self._connection.abort(error)
