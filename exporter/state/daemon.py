"""What is known of one daemon: its last reading, and counters that outlive readings.

Pure and synchronous; time is an argument, in seconds since the epoch. When the daemon is down its
readings are gone and its counters stay.
"""

import contextlib
import enum
import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec

from exporter.certificates.source import CertificateFileState, certificate_sources
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.management import prompts
from exporter.management.errors import DownReason, ManagementError
from exporter.management.notifications import (
    ClientEvent,
    Fatal,
    Greeting,
    LogLine,
    ParsedNotification,
    StateChange,
)
from exporter.management.peer import parse_peer_info
from exporter.management.replies import DaemonInfo, LoadStats, Poll, Version, parse_title
from exporter.management.state import Mode, State, StateName, infer_tunnel_mode
from exporter.management.status import ServerStatus, Status, TunnelStatus
from exporter.management.values import parse_number
from exporter.state.clients import ClientTable
from exporter.state.down import DownState
from exporter.state.events import Events
from exporter.state.privacy import privacy_for
from exporter.state.process import ProcessTracker
from exporter.state.traffic import Traffic
from exporter.state.tunnel import TunnelCounters


class StatusSource(enum.StrEnum):
    """Where the last reading came from."""

    MANAGEMENT = "management"
    STATUS_FILE = "status_file"


_P = ParamSpec("_P")


_Change = Callable[Concatenate["DaemonState", _P], None]


def _changes(method: _Change[_P]) -> _Change[_P]:
    """Count each call as a change, so that text made of a record is known to be old."""

    @functools.wraps(method)
    def changing(record: "DaemonState", /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        record.revision += 1
        method(record, *args, **kwargs)

    return changing


class DaemonState:
    """Everything about one daemon, fed by its monitor and read by the metrics."""

    def __init__(  # noqa: PLR0915 -- a plain list of what is known
        self, daemon: DaemonConfig, clients: ClientsConfig
    ) -> None:
        """Begin with a daemon that nobody has reached yet."""
        self.name = daemon.name
        self.has_management = daemon.management is not None
        self.source = StatusSource.MANAGEMENT
        self.max_clients = daemon.max_clients
        self.privacy = privacy_for(daemon, clients)
        self.clients = ClientTable(clients, daemon.expected_clients)
        self.events = Events(self.clients.sessions.add_logged_connect)
        self.traffic = Traffic()
        self.tunnel = TunnelCounters()
        self.process = ProcessTracker()

        self.up = False
        self.management_up = False
        self.down: DownState | None = None
        self.prompt: str | None = None
        self.restarts_on_disconnect = False
        self.info: DaemonInfo | None = None
        self.state: State | None = None
        self.status: Status | None = None
        self.poll_duration: float | None = None
        self.polled_at: float | None = None

        self.management_connects = 0
        self.polls = 0
        self.poll_failures: Counter[DownReason] = Counter()
        self.status_fallbacks = 0
        self.unparsed_lines = 0

        self.certificates: Sequence[CertificateFileState] = ()
        self.revision = 0
        self.client_revision = 0
        self._status_file = daemon.status_file
        self._declared_mode = daemon.openvpn_config.mode if daemon.openvpn_config else None
        self._dco = False
        self._last_status_time = 0
        self._fatal_text = ""
        # The daemon reconnected, or restarted within its process: since the last status, and
        # between the last two.
        self._reconnected = False
        self._reconnected_before_status = False

    @property
    def is_tunnel(self) -> bool:
        """Whether the daemon has shown that it is no server."""
        return bool(self.tunnel.totals)

    @property
    def version(self) -> Version | None:
        """Which OpenVPN it is, by its own word or by the title of its status."""
        if self.info is not None:
            return self.info.version
        return parse_title(self.status.title) if isinstance(self.status, ServerStatus) else None

    @property
    def mode(self) -> Mode | None:
        """What kind of daemon it is, as far as known."""
        match self.status:
            case ServerStatus():
                return Mode.SERVER
            case TunnelStatus() if self._declared_mode in {Mode.CLIENT, Mode.P2P}:
                return self._declared_mode
            case TunnelStatus() if self.info is not None:
                return infer_tunnel_mode(self.process.states)
            case _:
                return None

    @property
    def down_reason(self) -> DownReason | None:
        """Why the session doesn't work, None where it does."""
        return self.down.reason if self.down else None

    @property
    def down_message(self) -> str:
        """The same as a sentence for people, "" where it works."""
        return self.down.message(self.privacy) if self.down else ""

    @property
    def was_polled(self) -> bool:
        """Whether anybody has tried to ask the daemon yet, with whatever success."""
        return self.polls > 0 or self.down_reason is not None

    @_changes
    def reconfigure(self, daemon: DaemonConfig, clients: ClientsConfig) -> None:
        """Go on by other settings; name, address and what identifies a client must be the same."""
        self.max_clients = daemon.max_clients
        self.privacy = privacy_for(daemon, clients)
        self._declared_mode = daemon.openvpn_config.mode if daemon.openvpn_config else None
        self.clients.reconfigure(clients, daemon.expected_clients)
        if daemon.status_file != self._status_file and self.source is StatusSource.STATUS_FILE:
            self._clear_gauges()
        self._status_file = daemon.status_file
        if not certificate_sources(daemon):  # else they are read anew
            self.certificates = ()
        self.client_revision += 1

    @_changes
    def forget(self, now: float) -> None:
        """Forget clients that left long ago, while there is no status that could tell more."""
        all_gone = self.down_reason in {DownReason.REFUSED, DownReason.NOT_FOUND}
        self.client_revision += self.clients.forget(now, all_gone=all_gone)

    @_changes
    def on_connect(self) -> None:
        """Note that a connection was opened; nothing was said over it yet."""
        self._fatal_text = ""
        self.events.on_connect()

    @_changes
    def on_pid(self, pid: int) -> None:
        """Take the daemon's process id, before anything else that a process counts from 0."""
        if self.process.update_pid(pid):
            self._process_changed()

    @_changes
    def on_state_history(self, history: Sequence[State]) -> None:
        """Take the daemon's state history, oldest entry first."""
        if self.process.update_history(history):
            self._process_changed()
        for state in self.events.add_state_history(history):
            self._reconnected |= state.name is StateName.RECONNECTING
        if any(_tells_management_signal(state) for state in history):
            self.restarts_on_disconnect = True
        if history:
            self.state = history[-1]

    def _process_changed(self) -> None:
        self._dco = False
        self.events.on_restart()
        self.traffic.restart()
        self.tunnel.restart()
        self.clients.restart()

    @_changes
    def on_log_history(self, cache: Sequence[LogLine]) -> None:
        """Take the daemon's log cache, oldest line first."""
        self.events.add_log_history(cache)

    @_changes
    def on_info(self, introduction: DaemonInfo) -> None:
        """Take what the daemon says of itself at the beginning of a session."""
        self.info = introduction

    @_changes
    def on_notification(self, source: str, reading: ParsedNotification) -> None:
        """Take one real-time message."""
        self.events.add(source, reading)
        match reading:
            case Greeting():
                self.management_connects += 1
                self.prompt = None
            case StateChange(state=state):
                self.on_state(state)
            case Fatal(text=text):
                self._fatal_text = text
            case ClientEvent(event="ESTABLISHED", client_id=client_id, env=variables):
                with contextlib.suppress(ValueError):  # without a time it can't be told whose
                    since = parse_number(variables.get("time_unix", ""))
                    self.clients.sessions.add_peer_info(
                        client_id, since, parse_peer_info(variables)
                    )
            case _:
                reason = prompts.blocking_prompt(reading)
                self.prompt = reason.prompt_kind if reason else self.prompt

    @_changes
    def on_state(self, state: State) -> None:
        """Take the daemon's current state."""
        if state != self.state:
            self.process.states.append(state)
            self._reconnected |= state.name is StateName.RECONNECTING
        self.restarts_on_disconnect |= _tells_management_signal(state)
        self.state = state

    @_changes
    def on_status_received(self) -> None:
        """Note that a status was read whole: what is noticed from now on is not in it."""
        self._reconnected_before_status |= self._reconnected
        self._reconnected = False

    @_changes
    def set_certificates(self, readings: Sequence[CertificateFileState]) -> None:
        """Take what the daemon's files of certificates say now."""
        self.certificates = readings

    @_changes
    def add_unparsed(self, lines: int) -> None:
        """Count lines of the daemon that fit nowhere."""
        self.unparsed_lines += lines

    @_changes
    def on_poll(self, poll: Poll, *, now: float, duration: float) -> None:
        """Take one complete answer."""
        self.polls += 1
        self.client_revision += 1
        self.up = self.management_up = True
        self.source = StatusSource.MANAGEMENT
        self.down = None
        self.status = poll.status
        self.poll_duration = duration
        self.polled_at = now
        self.status_fallbacks += poll.fallback
        if self._reconnected_before_status:
            self.tunnel.restart()
            self.clients.restart()
            self._reconnected_before_status = False
        self._update(poll.status, now)
        if poll.status is not None:
            self._last_status_time = poll.status.updated
        self.traffic.update(poll.load_stats, self.clients, offloaded=self._dco, now=now)

    @_changes
    def on_status_file(self, status: Status, *, now: float, duration: float) -> None:
        """Take a status that the daemon wrote to a file, while the session doesn't work."""
        self.polls += 1
        self.client_revision += 1
        self.up = True
        self.source = StatusSource.STATUS_FILE
        self.status = status
        self.poll_duration = duration
        self.polled_at = now
        if not self.has_management:
            self.down = None
        if status.updated <= self._last_status_time:  # what the session told last is newer
            return
        self._last_status_time = status.updated
        self._update(status, now)
        if not self.has_management:  # else the growth until the session is back comes with it
            self._derive_totals(status, now)

    def _derive_totals(self, status: Status, now: float) -> None:
        """Take the daemon's totals from the rows: a status has none."""
        tunnel = self.tunnel.totals
        totals = LoadStats(0, tunnel.get("tcp_udp_read", 0), tunnel.get("tcp_udp_write", 0))
        is_server = isinstance(status, ServerStatus)
        self.traffic.update(totals, self.clients, offloaded=is_server, now=now)

    @_changes
    def on_status_file_error(self, error: ManagementError) -> None:
        """Note that the status file can't be used, and why."""
        self.on_poll_error(error)
        if not self.has_management:
            self.down = DownState(error)
        if self.source is StatusSource.STATUS_FILE:
            self._clear_gauges()

    def _update(self, status: Status | None, now: float) -> None:
        match status:
            case ServerStatus():
                self.unparsed_lines += status.unparsed
                self.clients.update(status, now)
                if status.dco_enabled is not None:  # format 1 doesn't say
                    self._dco = status.dco_enabled
            case TunnelStatus():
                self.unparsed_lines += status.unparsed
                self.tunnel.update(status)
            case None:
                pass

    @_changes
    def on_poll_error(self, error: ManagementError) -> None:
        """Note that a poll could not be answered."""
        self.polls += 1
        self.poll_failures[error.reason] += 1

    @_changes
    def on_down(self, error: ManagementError) -> None:
        """Note that the daemon can't be asked, and why; its readings are gone."""
        self.management_up = False
        self.down = DownState(error, self._fatal_text)
        self.info = None
        self.state = None
        if self.source is StatusSource.MANAGEMENT:  # else its status file still serves
            self._clear_gauges()

    def _clear_gauges(self) -> None:
        self.up = False
        self.status = None
        self.poll_duration = None


def _tells_management_signal(state: State) -> bool:
    return state.description == prompts.MANAGEMENT_DISCONNECT
