"""What is known of one daemon: its last reading, and counters that outlive readings.

Pure and synchronous; time is an argument, in seconds since the epoch. When the daemon is down its
readings are gone and its counters stay.
"""

from collections import Counter

from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.daemon.growth import Growth
from exporter.daemon.ledger import Ledger
from exporter.daemon.poll import Introduction, Poll
from exporter.daemon.tunnel import TunnelTraffic
from exporter.management.errors import DownReason, ManagementError
from exporter.management.mode import Mode, tell_tunnel_mode
from exporter.management.notifications import Fatal, Reading, StateChange
from exporter.management.replies import LoadStats
from exporter.management.state import State, StateName
from exporter.management.status import ServerStatus, Status, TunnelStatus

HISTORY_LIMIT = 100
"""Entries of the daemon's state history; a full one no longer begins with its start."""


class Traffic:
    """The daemon's own totals, right with and without data channel offload."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.received_bytes = 0
        self.sent_bytes = 0
        self._received = Growth()
        self._sent = Growth()
        self._ledger_received = Growth()
        self._ledger_sent = Growth()

    def take(self, load_stats: LoadStats, ledger: Ledger, *, offloaded: bool) -> None:
        """Take one poll; `load-stats` is blind to what the kernel moves under offload."""
        received = self._received.take(load_stats.received_bytes)
        sent = self._sent.take(load_stats.sent_bytes)
        ledger_received = self._ledger_received.take(ledger.received_bytes)
        ledger_sent = self._ledger_sent.take(ledger.sent_bytes)
        self.received_bytes += ledger_received if offloaded else received
        self.sent_bytes += ledger_sent if offloaded else sent

    def restart(self) -> None:
        """Note that a new process began."""
        self._received.restart()
        self._sent.restart()


class Record:
    """Everything about one daemon, fed by its monitor and read by the metrics."""

    def __init__(self, daemon: DaemonConfig, clients: ClientsConfig) -> None:
        """Begin with a daemon that nobody has reached yet."""
        self.name = daemon.name
        self.source = "management"
        self.max_clients = daemon.max_clients
        self.ledger = Ledger(clients, daemon.expected_clients)
        self.traffic = Traffic()
        self.tunnel_traffic = TunnelTraffic()

        self.up = False
        self.management_up = False
        self.down_reason: DownReason | None = None
        self.down_message = ""
        self.introduction: Introduction | None = None
        self.state: State | None = None
        self.status: Status | None = None
        self.start_time: int | None = None
        self.poll_duration: float | None = None
        self.last_poll_time: float | None = None
        self._pid: int | None = None
        self._last_words = ""

        self.connects = 0
        self.restarts = 0
        self.polls = 0
        self.poll_failures: Counter[DownReason] = Counter()
        self.status_fallbacks = 0
        self.unparsed_lines = 0

    @property
    def mode(self) -> Mode | None:
        """What kind of daemon it is, as far as known."""
        match self.status:
            case ServerStatus():
                return Mode.SERVER
            case TunnelStatus() if self.introduction is not None:
                return tell_tunnel_mode(self.introduction.history)
            case _:
                return None

    def opened(self) -> None:
        """Note that a management session was opened."""
        self.connects += 1
        self._last_words = ""

    def introduced(self, introduction: Introduction) -> None:
        """Take what the daemon says of itself at the beginning of a session."""
        if self._pid not in (None, introduction.pid):
            self.restarts += 1
            self.start_time = None
            self.traffic.restart()
            self.tunnel_traffic.restart()
            self.ledger.restart()
        self._pid = introduction.pid
        self.introduction = introduction
        if introduction.history:
            self.state = introduction.history[-1]
            if len(introduction.history) < HISTORY_LIMIT:
                self.start_time = introduction.history[0].time

    def noticed(self, reading: Reading) -> None:
        """Take one real-time message."""
        match reading:
            case StateChange(state=state):
                self.stated(state)
            case Fatal(text=text):
                self._last_words = text
            case _:
                pass

    def stated(self, state: State | None) -> None:
        """Take the daemon's current state, None where its history is empty."""
        if state is None:
            return
        if state.name is StateName.RECONNECTING and state != self.state:
            self.tunnel_traffic.restart()
        self.state = state

    def polled(self, poll: Poll, *, now: float, duration: float) -> None:
        """Take one complete answer."""
        self.polls += 1
        self.up = self.management_up = True
        self.down_reason = None
        self.down_message = ""
        self.status = poll.status
        self.poll_duration = duration
        self.last_poll_time = now
        self.status_fallbacks += poll.fallback
        offloaded = False
        match poll.status:
            case ServerStatus() as status:
                self.unparsed_lines += status.unparsed
                self.ledger.update(status.clients, now)
                offloaded = bool(status.dco_enabled)
            case TunnelStatus() as status:
                self.unparsed_lines += status.unparsed
                self.tunnel_traffic.take(status)
            case None:
                pass
        self.traffic.take(poll.load_stats, self.ledger, offloaded=offloaded)

    def poll_failed(self, error: ManagementError) -> None:
        """Note that a poll could not be answered."""
        self.polls += 1
        self.poll_failures[error.reason] += 1

    def went_down(self, error: ManagementError) -> None:
        """Note that the daemon can't be reached, and why; its readings are gone."""
        self.up = self.management_up = False
        self.down_reason = error.reason
        self.down_message = str(error)
        if self._last_words:
            self.down_message += f"; its last words were: {self._last_words}"
        self.introduction = None
        self.state = None
        self.status = None
        self.poll_duration = None
