"""The state of one daemon: its last status, and counters that outlive it.

Time is an argument, in seconds since the epoch. A daemon that goes down keeps its counters only.
"""

from collections.abc import Generator, Sequence

from exporter.certificates.pki import PkiState, pki_source
from exporter.certificates.source import CertificateFileState, certificate_sources
from exporter.config.target import Target
from exporter.management import prompts
from exporter.management.commands import Command
from exporter.management.errors import DownReason, ManagementError, ReplyError
from exporter.management.notifications import (
    ClientEvent,
    Fatal,
    Greeting,
    LogLine,
    ParsedNotification,
    StateChange,
)
from exporter.management.replies import DaemonInfo, Poll
from exporter.management.state import State
from exporter.management.status import ServerStatus, Status, StatusSource
from exporter.state.client_certificates import ClientCertificates
from exporter.state.daemon_facts import DaemonFacts
from exporter.state.down import DownState
from exporter.state.privacy import privacy_for
from exporter.state.process import age
from exporter.state.revision import mutates, mutates_in_batches
from exporter.state.status_order import StatusFileContent


class DaemonState(DaemonFacts):
    """What is known of one daemon, updated by its monitor."""

    __slots__ = ()

    @mutates
    def reconfigure(self, target: Target) -> None:
        """Apply another configuration of the same target."""
        status_file = self.target.daemon.status_file
        if pki_source(target) != pki_source(self.target):
            self.client_certificates = ClientCertificates()
        self.target = target
        self.privacy = privacy_for(target.daemon, target.clients)
        self.modes.reconfigure(target.configured_mode)
        self.clients.reconfigure(target.clients, target.daemon.expected_clients)
        if target.daemon.status_file != status_file and self.source is StatusSource.STATUS_FILE:
            self._clear_gauges()
        self.port_probes.reconfigure(target.probe_targets)
        if not certificate_sources(target.daemon):  # else they are read again
            self.certificates = ()
        self._advance_clients()

    @mutates_in_batches
    def forget(self, now: float) -> Generator[None, None, None]:
        """Drop clients that disconnected long ago, while there is no status to do so.

        It yields after each batch of clients.
        """
        not_running = self.down_reason in {DownReason.REFUSED, DownReason.NOT_FOUND}
        dropped = yield from self.clients.forget(now, all_gone=not_running)
        if dropped:
            self._advance_clients()

    @mutates
    def on_connect(self) -> None:
        """Record that a connection was opened; nothing was received yet."""
        self._fatal_text = ""
        self.events.on_connect()

    @mutates
    def on_pid(self, pid: int) -> None:
        """Record the reply to `pid`, before anything that a process counts from 0."""
        if self.process.update_pid(pid):
            self._on_restart()

    @mutates
    def on_state_history(self, history: Sequence[State]) -> None:
        """Record the reply to `state all`, oldest entry first."""
        if self.process.update_history(history):
            self._on_restart()
        for state in self.events.add_state_history(history):
            self._order.record_state(state)
        self.restarts_on_disconnect |= any(map(prompts.is_management_signal, history))
        self.state = history[-1] if history else self.state

    def _on_restart(self) -> None:
        self.events.on_restart()
        self._counters.on_new_process()
        self._order.record_restart()

    @mutates_in_batches
    def on_log_history(self, history: Sequence[LogLine]) -> Generator[None, None, None]:
        """Record the reply to `log all`, oldest line first, yielding after each batch of lines."""
        return self.events.add_log_history(history)

    @mutates
    def on_command(self, command: Command, error: ReplyError | None) -> None:
        """Record that a command was answered, or that its reply could not be used."""
        self.failed_commands.record(command, error)
        if error is not None:
            self.events.on_history_missing(command)

    @mutates
    def on_info(self, info: DaemonInfo) -> None:
        """Record the replies that are requested once a session."""
        self.info = info

    @mutates
    def on_notification(self, keyword: str, notification: ParsedNotification) -> None:
        """Record one real-time message."""
        self.events.add(keyword, notification)
        match notification:
            case Greeting():
                self.management_connects += 1
                self.prompt = None
            case StateChange(state=state):
                self.on_state(state)
            case Fatal(text=text):
                self._fatal_text = text
            case ClientEvent(event="ESTABLISHED", client_id=client_id, env=env):
                self.clients.add_established(client_id, env)
                if self.target.pki is not None:
                    self.client_certificates.add_established(client_id, env)
            case _:
                prompt = prompts.blocking_prompt(notification)
                self.prompt = prompt.prompt_kind if prompt else self.prompt

    @mutates
    def on_ignored_notification(self, keyword: str) -> None:
        """Count a real-time message that is meant for another management client."""
        self.events.count_message(keyword)

    @mutates
    def on_pass_through(self, *, pass_through: bool) -> None:
        """Record whether another management client shares the daemon's interface."""
        self.pass_through = pass_through

    @mutates
    def on_state(self, state: State) -> None:
        """Record the daemon's current state."""
        if state != self.state:
            self.process.add_state(state)
            self._order.record_state(state)
        self.restarts_on_disconnect |= prompts.is_management_signal(state)
        self.state = state

    @mutates
    def on_status_received(self) -> None:
        """Record that a status was received whole: later messages are not in it."""
        self._order.record_received()
        self.clients.sessions.logins.on_status_received()

    @mutates
    def set_certificates(self, certificates: Sequence[CertificateFileState]) -> None:
        """Record the contents of the daemon's certificate files."""
        self.certificates = certificates

    def set_pki(self, state: PkiState) -> None:
        """Record what is known of the certificates that were issued to clients.

        It is shown with the next poll: a thousand daemons may share one list.
        """
        self.client_certificates.set_pki(state)

    @mutates
    def add_unparsed(self, lines: int) -> None:
        """Count lines that could not be parsed."""
        self.unparsed_lines += lines

    @mutates_in_batches
    def on_poll(
        self, poll: Poll, *, now: float, duration: float, monitored_for: float = 0.0
    ) -> Generator[None, None, None]:
        """Record a successful poll, yielding after each batch of clients.

        `monitored_for` is the time in seconds since the monitoring of the daemon began: what
        began before does not count.
        """
        self.management_up = True  # from now on no status file is read
        start = self.process.connection_start
        restart = self._order.add_session_status(poll.status, start, now=now)
        yield from self._counters.restart(restart)
        daemon_now = now if poll.status is None else poll.status.updated
        status = poll.status
        if status is not None:
            status = yield from self._with_logins(status)
            self._record_status(status)
            yield from self._counters.update(
                status, now, monitored_for=monitored_for, connection_age=age(start, daemon_now)
            )
        yield from self._examine_sessions(status, now)
        self.down = None
        self.status_fallbacks += poll.fallback
        self._set_status(StatusSource.MANAGEMENT, status, now=now, duration=duration)
        process_age = age(self.process.start_time, daemon_now)
        new_process = process_age < monitored_for
        self._counters.update_traffic(poll.load_stats, now, new_process=new_process)

    @mutates_in_batches
    def on_status_file(
        self, file: StatusFileContent, *, now: float, duration: float, monitored_for: float = 0.0
    ) -> Generator[None, None, None]:
        """Record a status that the daemon wrote to a file, yielding after each batch of clients.

        If the session is back its status is newer, and that of the file is dropped.
        `monitored_for` is the time in seconds from the start of the monitoring to the last write
        of the file, at least.
        """
        if self.management_up:
            return
        restart = self._order.add_file_status(file, self.process.connection_start, now=now)
        status = yield from self._with_logins(file.status)
        if restart is not None:  # else the last status of the session is newer, or this is counted
            yield from self._counters.restart(restart)
            self._record_status(status)
            yield from self._counters.update(
                status, now, monitored_for=monitored_for, from_file=True
            )
            if not self.has_management:  # else `load-stats` has the growth of the file's clients
                self._counters.update_traffic(None, now)
        yield from self._examine_sessions(status, now)
        self._set_status(StatusSource.STATUS_FILE, status, now=now, duration=duration)
        if not self.has_management:
            self.down = None

    def _record_status(self, status: Status) -> None:
        self.unparsed_lines += status.unparsed
        self.modes.update(status)

    def _with_logins(self, status: Status) -> Generator[None, None, Status]:
        """Return a status with all clients that have logged in as connected, without probes."""
        if isinstance(status, ServerStatus):
            status = yield from self.port_probes.without_traces(status)
            status = yield from self.clients.sessions.with_logins(status)
        return status

    def _examine_sessions(self, status: Status | None, now: float) -> Generator[None, None, None]:
        """Examine the sessions of the last status, as far as they changed or it is time."""
        yield from self.client_certificates.update(self.clients.sessions, now)
        if isinstance(status, ServerStatus):
            yield from self.clients.examine(
                now, daemon_now=status.updated, config=self.target.clients
            )

    def _set_status(
        self, source: StatusSource, status: Status | None, *, now: float, duration: float
    ) -> None:
        self.polls += 1
        self.up = True
        self.source = source
        self.status = status
        self.poll_durations.observe(duration)
        self.polled_at = now
        self._advance_clients()

    def _advance_clients(self) -> None:
        """Advance the revisions of what is rendered for each client, when a change is complete."""
        self.client_revision += 1
        self.client_listing = self.clients.revision, type(self.status)

    @mutates
    def on_status_file_error(self, error: ManagementError) -> None:
        """Record that the status file can't be used."""
        self._count_error(error)
        if not self.has_management:
            self.down = DownState.without_traceback(error)
        if self.source is StatusSource.STATUS_FILE:
            self._clear_gauges()

    @mutates
    def on_poll_error(self, error: ManagementError) -> None:
        """Count a failed poll of the session."""
        self._order.record_unusable()
        self._count_error(error)

    def _count_error(self, error: ManagementError) -> None:
        self.polls += 1
        self.poll_failures[error.reason] += 1

    @mutates
    def on_down(self, error: ManagementError) -> None:
        """Record that the management session is down; clear its gauges."""
        self._order.record_unusable()
        self.management_up = False
        self.down = DownState.without_traceback(error, self._fatal_text)
        self.info = None
        self.state = None
        if self.source is StatusSource.MANAGEMENT:  # else the status file still serves
            self._clear_gauges()

    def _clear_gauges(self) -> None:
        self.up = False
        self.status = None
