"""A model of a daemon: a server or a tunnel, its process, its histories and its status file.

A monitor of the model has a session or reads the file, and feeds a `DaemonState`.
"""

import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import TcpEndpoint
from exporter.management.errors import SessionClosed
from exporter.management.log_lines import ConnectLine
from exporter.management.notifications import Greeting, LogLine, StateChange
from exporter.management.replies import LoadStats, Poll
from exporter.management.state import State, StateName
from exporter.management.status import ServerStatus, Status, TunnelStatus
from exporter.state.daemon import DaemonState
from exporter.state.status_order import StatusFileContent
from tests.state.model import START, Action, ModelClient, ModelReader, ServerModel, Step


class Event(enum.Enum):
    """What happens besides the steps of the clients."""

    WRITE = enum.auto()
    """The daemon writes its status file."""
    WRITE_AND_POLL = enum.auto()
    """The daemon writes its status file, and the monitor polls."""
    RECONNECT = enum.auto()
    """The daemon restarts within its process (SIGUSR1), a tunnel reconnects."""
    NEW_PROCESS = enum.auto()
    """The daemon's process is replaced."""
    POLL = enum.auto()
    """The monitor polls the session, or the file without one."""
    DISCONNECT = enum.auto()
    """The monitor loses its session."""
    CONNECT = enum.auto()
    """The monitor starts a session, with its histories, and polls it."""


class Daemon(Protocol):
    """What a daemon counts, and what it prints of it."""

    now: int

    def apply(self, step: Step) -> list[ConnectLine]:
        """Apply a step."""

    def reconnect(self) -> None:
        """Start from 0."""

    def start_process(self) -> None:
        """Start from 0, with `load-stats`."""

    def status(self, *, format_1: bool) -> Status:
        """Return the status."""

    def load_stats(self) -> LoadStats:
        """Return the totals of the process."""

    def snapshot(self) -> object:
        """Return what the status shows."""

    def show(self, snapshot: object) -> None:
        """Record that the monitor has read this snapshot."""


class Snapshot(NamedTuple):
    """The traffic that a status shows, and the connects and disconnects up to it."""

    traffic: dict[ModelClient, tuple[int, int]]
    connects: int
    disconnects: int


@dataclass
class Server:
    """A server with its clients; everything after the first status that was read counts."""

    model: ServerModel = field(default_factory=lambda: ServerModel(monitored=True))
    first: Snapshot | None = None
    shown: dict[ModelClient, tuple[int, int]] = field(default_factory=dict)
    _process: list[ModelClient] = field(default_factory=list)

    @property
    def now(self) -> int:
        """The daemon's time."""
        return self.model.now

    @now.setter
    def now(self, now: int) -> None:
        self.model.now = now

    def apply(self, step: Step) -> list[ConnectLine]:
        """Apply a step of the clients; return the lines of the log."""
        lines = self.model.apply(step)
        self._process += [row for row in self.model.rows if row not in self._process]
        return lines

    def reconnect(self) -> None:
        """Restart within the process."""
        self.model.apply(Step(Action.RESTART, seconds=0))

    def start_process(self) -> None:
        """Restart with another process."""
        self.reconnect()
        self._process = []

    def status(self, *, format_1: bool) -> Status:
        """Return the status."""
        return self.model.status(format_1=format_1)

    def load_stats(self) -> LoadStats:
        """Return the totals of the process."""
        received = sum(client.received for client in self._process)
        return LoadStats(len(self.model.rows), received, received)

    def snapshot(self) -> Snapshot:
        """Return what the status shows."""
        connected = [row for row in self.model.rows if row.authenticated]
        traffic = {row: (row.received, row.sent) for row in connected}
        return Snapshot(traffic, self.model.connects, self.model.disconnects)

    def show(self, snapshot: object) -> None:
        """Record that the monitor has read this snapshot, which may be older than the last."""
        assert isinstance(snapshot, Snapshot)
        self.first = self.first or snapshot
        for client, traffic in snapshot.traffic.items():
            self.shown[client] = max(self.shown.get(client, (0, 0)), traffic)

    def expected(self, *, shown_only: bool) -> Counter[str]:
        """Return the bytes received since the first status, by name."""
        received = Counter[str]()
        before = self.first.traffic if self.first else {}
        for client in self.model.ever_authenticated:
            moved = self.shown.get(client, (0, 0))[0] if shown_only else client.received
            received[client.name] += max(moved - before.get(client, (0, 0))[0], 0)
        return received

    @property
    def connects(self) -> int:
        """The connects since the first status."""
        return self.model.connects - self.first.connects if self.first else 0

    @property
    def disconnects(self) -> int:
        """The disconnects since the first status."""
        return self.model.disconnects - self.first.disconnects if self.first else 0


@dataclass
class Tunnel:
    """A tunnel: `total` is what it read since the first status that was read."""

    now: int = START
    total: int = 0
    _read: int = 0
    _process: int = 0
    _first: bool = True

    def apply(self, step: Step) -> list[ConnectLine]:
        """Transfer bytes."""
        self.now += step.seconds
        self._read += step.amount
        self._process += step.amount
        self.total += step.amount
        return []

    def reconnect(self) -> None:
        """Reset the statistics."""
        self._read = 0

    def start_process(self) -> None:
        """Reset all."""
        self._read = self._process = 0

    def status(self, *, format_1: bool) -> Status:
        """Return the statistics."""
        return TunnelStatus(updated=self.now, tcp_udp_read=self._read)

    def load_stats(self) -> LoadStats:
        """Return the totals of the process."""
        return LoadStats(0, self._process, self._process)

    def snapshot(self) -> int:
        """Return what was read since the start of the model."""
        return self.total

    def show(self, snapshot: object) -> None:
        """Count from the first snapshot that was read."""
        assert isinstance(snapshot, int)
        if self._first:
            self.total -= snapshot
            self._first = False


class MonitoredDaemon:
    """A daemon with its monitor; `format_1` is that of the file."""

    def __init__(self, daemon: Daemon, *, log: bool = True, format_1: bool = False) -> None:
        config = DaemonConfig(name="office", management=TcpEndpoint("127.0.0.1", 7505))
        self.daemon = daemon
        self.state = DaemonState(Target(config, ClientsConfig(forget_after=1e9)))
        self._log = log
        self._format_1 = format_1
        self._connected = False
        self._pid = 1
        self._states = [State(START - 10, StateName.CONNECTING, "")]
        self._lines: list[LogLine] = []
        self._file: tuple[StatusFileContent, object] | None = None
        self._session_status_at = 0
        self._reader = ModelReader()

    def apply(self, event: Step | Event) -> bool:
        """Apply an event; return whether it was a poll."""
        match event:
            case Step():
                self._add_lines(self.daemon.apply(event))
            case Event.WRITE:
                self._write()
            case Event.WRITE_AND_POLL:
                self._write()
                return self.apply(Event.POLL)
            case Event.RECONNECT:
                self._restart_within_process()
            case Event.NEW_PROCESS:
                self._replace_process()
            case Event.DISCONNECT:
                self._disconnect()
            case Event.CONNECT if not self._connected:
                self._connect()
                self._poll_session()
                return True
            case Event.POLL if self._connected:
                self._poll_session()
                return True
            case Event.POLL if self._file is not None:
                self._poll_file(*self._file)
                return True
            case _:
                pass
        return False

    def finish(self) -> None:
        """Poll the session until nothing is pending."""
        self.apply(Event.CONNECT)
        for _ in range(3):
            self.daemon.now += 1
            self.apply(Event.POLL)

    def _poll_session(self) -> None:
        self.daemon.show(self.daemon.snapshot())
        status = self.daemon.status(format_1=False)
        if isinstance(status, ServerStatus):
            status = self._reader.read(status)
        poll = Poll(self.daemon.load_stats(), status)
        self._session_status_at = self.daemon.now
        self.state.on_status_received()
        run_batches(self.state.on_poll(poll, now=self.daemon.now, duration=0.1))

    def _poll_file(self, file: StatusFileContent, snapshot: object) -> None:
        if file.written_at > self._session_status_at:  # else the session's status is newer
            self.daemon.show(snapshot)
        run_batches(self.state.on_status_file(file, now=self.daemon.now, duration=0.1))

    def _write(self) -> None:
        status, snapshot = self.daemon.status(format_1=self._format_1), self.daemon.snapshot()
        content = StatusFileContent(status, float(self.daemon.now), repr(status).encode())
        self._file = (content, snapshot)

    def _connect(self) -> None:
        self._connected = True
        self.state.on_connect()
        self.state.on_notification("INFO", Greeting(5))
        self.state.on_pid(self._pid)
        self.state.on_state_history(tuple(self._states))
        if self._log:
            run_batches(self.state.on_log_history(tuple(self._lines)))

    def _disconnect(self) -> None:
        if self._connected:
            self._connected = False
            self.state.on_down(SessionClosed("closed"))

    def _restart_within_process(self) -> None:
        self.daemon.now += 1
        self.daemon.reconnect()
        self._enter(StateName.RECONNECTING, "SIGUSR1")
        self._enter(StateName.CONNECTED, "SUCCESS")

    def _replace_process(self) -> None:
        self._disconnect()
        self.daemon.now += 1
        self.daemon.start_process()
        self._pid += 1
        self._states = [State(self.daemon.now, StateName.CONNECTING, "")]
        self._lines = []

    def _enter(self, name: StateName, description: str) -> None:
        state = State(self.daemon.now, name, description)
        self._states.append(state)
        if self._connected:
            self.state.on_notification("STATE", StateChange(state))

    def _add_lines(self, connects: Sequence[ConnectLine]) -> None:
        for connect in connects:
            client = f"{connect.name}/{connect.real_address}"
            family = "IPv6" if connect.ipv6 else "IP"
            text = f"{client} MULTI: primary virtual {family} for {client}: 10.8.0.2"
            line = LogLine(self.daemon.now, "", text)
            self._lines.append(line)
            if self._connected and self._log:
                self.state.on_notification("LOG", line)
