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

from exporter.certificates.reading import CertificateFileState
from exporter.certificates.source import certificate_sources
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.management import prompts
from exporter.management.errors import DownReason, ManagementError
from exporter.management.mode import Mode, infer_tunnel_mode
from exporter.management.notifications import (
    ClientEvent,
    Fatal,
    Greeting,
    LogLine,
    ParsedNotification,
    StateChange,
)
from exporter.management.numbers import parse_number
from exporter.management.peer import parse_peer_info
from exporter.management.replies import DaemonInfo, LoadStats, Poll, Version, parse_title
from exporter.management.state import State, StateName
from exporter.management.status import ServerStatus, Status, TunnelStatus
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
        record.changes += 1
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
        self.ledger = ClientTable(clients, daemon.expected_clients)
        self.events = Events(self.ledger.sessions.announce)
        self.traffic = Traffic()
        self.tunnel_traffic = TunnelCounters()
        self.process = ProcessTracker()

        self.up = False
        self.management_up = False
        self.outage: DownState | None = None
        self.waits_for: str | None = None
        self.restarts_on_disconnect = False
        self.introduction: DaemonInfo | None = None
        self.state: State | None = None
        self.status: Status | None = None
        self.poll_duration: float | None = None
        self.polled_at: float | None = None

        self.connects = 0
        self.polls = 0
        self.poll_failures: Counter[DownReason] = Counter()
        self.status_fallbacks = 0
        self.unparsed_lines = 0

        self.certificates: Sequence[CertificateFileState] = ()
        self.changes = 0
        self.client_changes = 0
        self._status_file = daemon.status_file
        self._declared_mode = daemon.deployment.mode if daemon.deployment else None
        self._offloaded = False
        self._counted_until = 0
        self._last_words = ""
        # The daemon reconnected, or restarted within its process: since the last status, and
        # between the last two.
        self._reconnected = False
        self._reconnected_before_status = False

    @property
    def is_tunnel(self) -> bool:
        """Whether the daemon has shown that it is no server."""
        return bool(self.tunnel_traffic.totals)

    @property
    def version(self) -> Version | None:
        """Which OpenVPN it is, by its own word or by the title of its status."""
        if self.introduction is not None:
            return self.introduction.version
        return parse_title(self.status.title) if isinstance(self.status, ServerStatus) else None

    @property
    def mode(self) -> Mode | None:
        """What kind of daemon it is, as far as known."""
        match self.status:
            case ServerStatus():
                return Mode.SERVER
            case TunnelStatus() if self._declared_mode in {Mode.CLIENT, Mode.P2P}:
                return self._declared_mode
            case TunnelStatus() if self.introduction is not None:
                return infer_tunnel_mode(self.process.states)
            case _:
                return None

    @property
    def down_reason(self) -> DownReason | None:
        """Why the session doesn't work, None where it does."""
        return self.outage.reason if self.outage else None

    @property
    def down_message(self) -> str:
        """The same as a sentence for people, "" where it works."""
        return self.outage.tell(self.privacy) if self.outage else ""

    @property
    def attempted(self) -> bool:
        """Whether anybody has tried to ask the daemon yet, with whatever success."""
        return self.polls > 0 or self.down_reason is not None

    @_changes
    def adopt(self, daemon: DaemonConfig, clients: ClientsConfig) -> None:
        """Go on by other settings; name, address and what identifies a client must be the same."""
        self.max_clients = daemon.max_clients
        self.privacy = privacy_for(daemon, clients)
        self._declared_mode = daemon.deployment.mode if daemon.deployment else None
        self.ledger.adopt(clients, daemon.expected_clients)
        if daemon.status_file != self._status_file and self.source is StatusSource.STATUS_FILE:
            self._lose_readings()
        self._status_file = daemon.status_file
        if not certificate_sources(daemon):  # else they are read anew
            self.certificates = ()
        self.client_changes += 1

    @_changes
    def forget(self, now: float) -> None:
        """Forget clients that left long ago, while there is no status that could tell more."""
        all_gone = self.down_reason in {DownReason.REFUSED, DownReason.NOT_FOUND}
        self.client_changes += self.ledger.forget(now, all_gone=all_gone)

    @_changes
    def opened(self) -> None:
        """Note that a connection was opened; nothing was said over it yet."""
        self._last_words = ""
        self.events.session_began()

    @_changes
    def identified(self, pid: int) -> None:
        """Take the daemon's process id, before anything else that a process counts from 0."""
        if self.process.identified(pid):
            self._process_changed()

    @_changes
    def remembered(self, history: Sequence[State]) -> None:
        """Take the daemon's state history, oldest entry first."""
        if self.process.remembered(history):
            self._process_changed()
        for state in self.events.take_state_history(history):
            self._reconnected |= state.name is StateName.RECONNECTING
        if any(_tells_management_signal(state) for state in history):
            self.restarts_on_disconnect = True
        if history:
            self.state = history[-1]

    def _process_changed(self) -> None:
        self._offloaded = False
        self.events.process_changed()
        self.traffic.restart()
        self.tunnel_traffic.restart()
        self.ledger.restart()

    @_changes
    def logged(self, cache: Sequence[LogLine]) -> None:
        """Take the daemon's log cache, oldest line first."""
        self.events.take_log_cache(cache)

    @_changes
    def introduced(self, introduction: DaemonInfo) -> None:
        """Take what the daemon says of itself at the beginning of a session."""
        self.introduction = introduction

    @_changes
    def noticed(self, source: str, reading: ParsedNotification) -> None:
        """Take one real-time message."""
        self.events.take(source, reading)
        match reading:
            case Greeting():
                self.connects += 1
                self.waits_for = None
            case StateChange(state=state):
                self.stated(state)
            case Fatal(text=text):
                self._last_words = text
            case ClientEvent(event="ESTABLISHED", client_id=client_id, env=variables):
                with contextlib.suppress(ValueError):  # without a time it can't be told whose
                    since = parse_number(variables.get("time_unix", ""))
                    self.ledger.sessions.introduce(client_id, since, parse_peer_info(variables))
            case _:
                reason = prompts.blocking_prompt(reading)
                self.waits_for = reason.waits_for if reason else self.waits_for

    @_changes
    def stated(self, state: State) -> None:
        """Take the daemon's current state."""
        if state != self.state:
            self.process.states.append(state)
            self._reconnected |= state.name is StateName.RECONNECTING
        self.restarts_on_disconnect |= _tells_management_signal(state)
        self.state = state

    @_changes
    def status_arrived(self) -> None:
        """Note that a status was read whole: what is noticed from now on is not in it."""
        self._reconnected_before_status |= self._reconnected
        self._reconnected = False

    @_changes
    def certified(self, readings: Sequence[CertificateFileState]) -> None:
        """Take what the daemon's files of certificates say now."""
        self.certificates = readings

    @_changes
    def misread(self, lines: int) -> None:
        """Count lines of the daemon that fit nowhere."""
        self.unparsed_lines += lines

    @_changes
    def polled(self, poll: Poll, *, now: float, duration: float) -> None:
        """Take one complete answer."""
        self.polls += 1
        self.client_changes += 1
        self.up = self.management_up = True
        self.source = StatusSource.MANAGEMENT
        self.outage = None
        self.status = poll.status
        self.poll_duration = duration
        self.polled_at = now
        self.status_fallbacks += poll.fallback
        if self._reconnected_before_status:
            self.tunnel_traffic.restart()
            self.ledger.restart()
            self._reconnected_before_status = False
        self._take(poll.status, now)
        if poll.status is not None:
            self._counted_until = poll.status.updated
        self.traffic.take(poll.load_stats, self.ledger, offloaded=self._offloaded, now=now)

    @_changes
    def file_read(self, status: Status, *, now: float, duration: float) -> None:
        """Take a status that the daemon wrote to a file, while the session doesn't work."""
        self.polls += 1
        self.client_changes += 1
        self.up = True
        self.source = StatusSource.STATUS_FILE
        self.status = status
        self.poll_duration = duration
        self.polled_at = now
        if not self.has_management:
            self.outage = None
        if status.updated <= self._counted_until:  # what the session told last is newer
            return
        self._counted_until = status.updated
        self._take(status, now)
        if not self.has_management:  # else the growth until the session is back comes with it
            self._add_up(status, now)

    def _add_up(self, status: Status, now: float) -> None:
        """Take the daemon's totals from the rows: a status has none."""
        tunnel = self.tunnel_traffic.totals
        totals = LoadStats(0, tunnel.get("tcp_udp_read", 0), tunnel.get("tcp_udp_write", 0))
        is_server = isinstance(status, ServerStatus)
        self.traffic.take(totals, self.ledger, offloaded=is_server, now=now)

    @_changes
    def file_failed(self, error: ManagementError) -> None:
        """Note that the status file can't be used, and why."""
        self.poll_failed(error)
        if not self.has_management:
            self.outage = DownState(error)
        if self.source is StatusSource.STATUS_FILE:
            self._lose_readings()

    def _take(self, status: Status | None, now: float) -> None:
        match status:
            case ServerStatus():
                self.unparsed_lines += status.unparsed
                self.ledger.update(status, now)
                if status.dco_enabled is not None:  # format 1 doesn't say
                    self._offloaded = status.dco_enabled
            case TunnelStatus():
                self.unparsed_lines += status.unparsed
                self.tunnel_traffic.take(status)
            case None:
                pass

    @_changes
    def poll_failed(self, error: ManagementError) -> None:
        """Note that a poll could not be answered."""
        self.polls += 1
        self.poll_failures[error.reason] += 1

    @_changes
    def went_down(self, error: ManagementError) -> None:
        """Note that the daemon can't be asked, and why; its readings are gone."""
        self.management_up = False
        self.outage = DownState(error, self._last_words)
        self.introduction = None
        self.state = None
        if self.source is StatusSource.MANAGEMENT:  # else its status file still serves
            self._lose_readings()

    def _lose_readings(self) -> None:
        self.up = False
        self.status = None
        self.poll_duration = None


def _tells_management_signal(state: State) -> bool:
    return state.description == prompts.MANAGEMENT_DISCONNECT
