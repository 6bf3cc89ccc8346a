"""The task of one daemon: run a management session, wait, run the next.

Monitors share nothing, so a daemon that hangs delays no other.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable

from exporter.aio import Wakeup, begin_in_turn, run_cooperatively
from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
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
from exporter.monitor.password import ManagementPassword, read_management_password
from exporter.monitor.refresh import RefreshRequest
from exporter.monitor.session import ManagementSession
from exporter.monitor.shared_session import SharedSession
from exporter.secret import Secret
from exporter.state.daemon import DaemonState
from exporter.transport.connector import Connector, connector_for
from exporter.transport.history import CommandHistory
from exporter.transport.listening import Access
from exporter.transport.reverse import ReverseConnector, ReverseOptions

START_SPREAD = 1.0
"""Seconds over which the first connections of all daemons are spread."""

FORGET_INTERVAL = 60.0
"""Seconds of a wait after which clients that disconnected long ago are dropped."""

STUCK_REPLIES = 15
"""Replies that may each take the whole timeout before a monitor counts as stuck."""

LISTENING_DELAY = 1.0
"""Most seconds between two sessions with daemons that connect to us: the next one may wait."""

OnUpdated = Callable[[DaemonState], Awaitable[None]]
"""Called after each successful poll; it may yield to the event loop."""

_JITTER = random.Random()  # noqa: S311 -- no secret; one for all, since each has 2.5 KiB

_log = logging.getLogger(__name__)


class Monitor:
    """Keeps the state of one daemon up to date while `run` runs."""

    def __init__(
        self,
        target: Target,
        *,
        on_updated: OnUpdated | None = None,
        stagger: float = 0.0,
        clock: Callable[[], float] = time.time,
        rng: random.Random | None = None,
    ) -> None:
        """Create a monitor of a target.

        Args:
            target: the daemon, and how it is polled.
            on_updated: see `OnUpdated`.
            stagger: 0 to 1, the fraction of the interval at which this daemon is polled, so that
                many daemons are not polled at once.
            clock: seconds since the epoch.
            rng: the source of the backoff's jitter.
        """
        self.daemon = DaemonState(target)
        self.refresh_request = RefreshRequest()
        self.shared = SharedSession()
        self._history = CommandHistory()
        self._on_updated = on_updated
        self._stagger = stagger
        self._clock = clock
        self._backoff = Backoff(
            rng or _JITTER,
            prompt_retry_interval=target.daemon.prompt_retry_interval,
        )
        self._connector = _connector(target.daemon)
        self._session: ManagementSession | None = None
        self._log_flooded = False
        self._password = ManagementPassword()
        self._retry_error: ManagementError | None = None
        self._wakeup = Wakeup()
        self._last_progress = math.inf
        self._logged_reason: DownReason | None = None
        self._was_up = False
        self._logged_fallback = False
        self._logged_signal_warning = False
        self._logged_pass_through = False

    @property
    def target(self) -> Target:
        """The daemon, and how it is polled."""
        return self.daemon.target

    @property
    def history(self) -> CommandHistory:
        """The last commands with their replies, of the last session that was connected."""
        current = self._session.history if self._session is not None else None
        return current or self._history

    async def run(self) -> None:
        """Monitor the daemon until cancelled; then read the last reply and send `quit`."""
        loop = asyncio.get_running_loop()
        self.daemon.monitored_since = loop.time()
        try:
            await asyncio.sleep(self._stagger * START_SPREAD)
            while True:
                await begin_in_turn()
                started_at = self._last_progress = loop.time()
                interval = self.target.poll_interval
                error = await self._run_session(started_at + interval * self._stagger)
                self._wakeup.clear()
                if error is None:  # the slot is released until the next poll
                    await self._sleep(started_at + self.target.poll_interval - loop.time())
                elif not self._awaiting_connection(error):
                    await self._back_off(error)
        finally:
            await self._connector.close()

    def reconfigure(self, target: Target) -> None:
        """Apply another configuration of the same target, with a poll at once.

        Session and counters stay: a disconnect may cost the daemon more than any setting is worth.
        """
        self.daemon.reconfigure(target)
        self._log_flooded = False
        self._backoff.prompt_retry_interval = target.daemon.prompt_retry_interval
        if isinstance(self._connector, ReverseConnector):  # a closed socket may cost a daemon
            self._connector.reconfigure(_reverse_options(target.daemon))
        else:
            self._connector = _connector(target.daemon)
        if self._session is not None:
            self._session.reconfigure()
        self._wakeup.set()

    def retry_password(self) -> None:
        """End the wait after an unusable password; after a refused one, if its file has changed."""
        if isinstance(self._retry_error, AuthenticationFailed | PasswordFileError):
            self._wakeup.set()

    def is_stuck(self, now: float) -> bool:
        """Return whether there was no progress for longer than any wait can take.

        `now` is the event loop's time.
        """
        daemon = self.target.daemon
        if daemon.management is None:
            return False
        max_wait = 3 * self.target.poll_interval + STUCK_REPLIES * daemon.timeout + FORGET_INTERVAL
        return now - self._last_progress > max_wait

    async def _back_off(self, error: ManagementError) -> None:
        """Wait after a failure; neither a reload nor a new setting repeats a refused password."""
        loop = asyncio.get_running_loop()
        delay = self._backoff.delay(error)
        if isinstance(self._connector, ReverseConnector) and self._connector.is_listening:
            delay = min(delay, LISTENING_DELAY)
        end = loop.time() + delay
        self._retry_error = error
        await self._sleep(end - loop.time())
        if isinstance(error, AuthenticationFailed):
            while (remaining := end - loop.time()) > 0 and not await self._password_changed():
                await self._sleep(remaining)
        self._retry_error = None

    async def _password_changed(self) -> bool:
        self._wakeup.clear()
        try:
            return await self._password.has_changed(self.target.daemon)
        except OSError:  # no thread can be started
            return False

    async def _sleep(self, seconds: float) -> None:
        """Wait before the next session, or until `_wakeup` is set."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        await asyncio.sleep(0)
        while (remaining := end - loop.time()) > 0 and not self._wakeup.is_set:
            self._last_progress = loop.time()
            await self._wakeup.wait(min(remaining, FORGET_INTERVAL))
            await run_cooperatively(self.daemon.forget(self._clock()))

    def _awaiting_connection(self, error: ManagementError) -> bool:
        """Return whether no daemon has connected to our listener yet.

        The listener stays open, so that the daemon's next attempt succeeds.
        """
        return self.target.is_reverse and isinstance(error, EndpointNotFound)

    async def _run_session(self, due: float) -> ManagementError | None:
        """Run one session to its end; return what ended it, None if it released the slot."""
        started_at = asyncio.get_running_loop().time()
        session = self._session = ManagementSession(
            self.daemon,
            self._connector,
            read_log=not self._log_flooded,
            clock=self._clock,
            on_polled=self._on_polled,
            refresh_request=self.refresh_request,
            shared=self.shared,
        )
        try:
            await session.run(due)
        except LogFloodError as error:
            error.__traceback__ = None  # its frames refer to it
            self._log_flooded = True
            self._warn("too many log lines, log events off")
        except ManagementError as error:
            return self._on_down(error)
        except Exception as error:  # noqa: BLE001 -- the task's boundary: a bug must not end it
            message = "unhandled exception in monitor"
            event(_log, Level.ERROR, message, daemon=self.daemon.name, cause=error)
            return self._on_down(ProtocolError("unhandled exception in the exporter; see its log"))
        else:
            self._backoff.end_session(math.inf)
        finally:
            self._backoff.end_session(asyncio.get_running_loop().time() - started_at)
            self._history = self.history
            self._password = session.password
            self._session = None
            session.release()
            self.refresh_request.cancel()
        return None

    def _on_down(self, error: ManagementError) -> ManagementError:
        self.daemon.on_down(error)
        self._log_failed_commands()
        self._log_down()
        return error

    async def _on_polled(self, poll: Poll | None) -> None:
        self._last_progress = asyncio.get_running_loop().time()
        if poll is None:
            await run_cooperatively(self.daemon.forget(self._clock()))
            self._log_down()
            return
        self._backoff.reset()
        self._log_up(poll)
        self._log_failed_commands()
        if self._on_updated is not None:
            await self._on_updated(self.daemon)

    def _log_up(self, poll: Poll) -> None:
        if poll.fallback and not self._logged_fallback:
            self._warn(
                "status 3 does not end: a row of 512 bytes or more drops itself and all that "
                "follows; using status 1, which has fewer fields"
            )
        self._logged_fallback = poll.fallback
        if self.daemon.pass_through is not self._logged_pass_through:
            self._logged_pass_through = self.daemon.pass_through
            message = (
                "another management client shares this interface (pass-through): events are "
                "counted at each poll"
                if self.daemon.pass_through
                else "the daemon itself answers: events are counted in real time"
            )
            event(_log, Level.INFO, message, daemon=self.daemon.name)
        restarts = self.daemon.restarts_on_disconnect and not self.daemon.pass_through
        if restarts and not self._logged_signal_warning:
            self._logged_signal_warning = True
            self._warn(
                "this daemon restarts its VPN when a management client disconnects "
                "(--management-signal); the session stays, but the exporter's exit will restart it"
            )
        if self._logged_reason is not None or not self._was_up:
            version = self.daemon.version
            text = version.version if version else ""
            event(_log, Level.INFO, "daemon is up", daemon=self.daemon.name, version=text)
        self._logged_reason = None
        self._was_up = True

    def _warn(self, message: str) -> None:
        event(_log, Level.WARN, message, daemon=self.daemon.name)

    def _log_failed_commands(self) -> None:
        """Log each command once whose reply could not be used."""
        messages = self.daemon.failed_commands.messages(self.daemon.privacy)
        for command in self.daemon.failed_commands.pop_unlogged():
            event(
                _log,
                Level.WARN,
                "command failed, its data is missing",
                daemon=self.daemon.name,
                command=command.text,
                error=messages[command],
            )

    def _log_down(self) -> None:
        """Log a change of the reason, not every attempt."""
        reason = self.daemon.down_reason
        if self._logged_reason is reason or reason is None:
            return
        self._logged_reason = reason
        event(
            _log,
            Level.WARN,
            "daemon is down",
            daemon=self.daemon.name,
            reason=reason.value,
            error=self.daemon.down_message,
        )


def _connector(daemon: DaemonConfig) -> Connector:
    reverse = _reverse_options(daemon)
    return connector_for(daemon.management, timeout=daemon.timeout, reverse=reverse)


def _reverse_options(daemon: DaemonConfig) -> ReverseOptions:
    async def read_password() -> Secret | None:
        return (await read_management_password(daemon)).secret

    group = daemon.listen_group.number if daemon.listen_group is not None else None
    return ReverseOptions(daemon.timeout, Access(daemon.allow_from, group), read_password)
