"""What is known of one daemon: read by the metrics, the pages and the API."""

from collections import Counter
from collections.abc import Sequence

from exporter.certificates.source import CertificateFileState
from exporter.config.target import Target
from exporter.management.errors import DownReason
from exporter.management.replies import DaemonInfo, Version, parse_title
from exporter.management.state import Mode, State, infer_tunnel_mode
from exporter.management.status import ServerStatus, Status, StatusSource
from exporter.state.client_certificates import ClientCertificates
from exporter.state.clients import ClientTable
from exporter.state.down import DownState
from exporter.state.events import Events
from exporter.state.failed_commands import FailedCommands
from exporter.state.modes import DaemonModes
from exporter.state.poll_durations import PollDurations
from exporter.state.port_probes import PortProbes
from exporter.state.privacy import privacy_for
from exporter.state.process import ProcessTracker
from exporter.state.sharing import SharingState
from exporter.state.status_counters import StatusCounters
from exporter.state.status_order import StatusOrder


class DaemonFacts:
    """The last status of one daemon, and counters that outlive it."""

    __slots__ = (  # with a dictionary of attributes it takes 1 KiB more
        "__weakref__",
        "_counters",
        "_fatal_text",
        "_order",
        "certificates",
        "client_certificates",
        "client_listing",
        "client_revision",
        "clients",
        "down",
        "events",
        "failed_commands",
        "has_management",
        "info",
        "is_updating",
        "management_connects",
        "management_up",
        "modes",
        "monitored_since",
        "name",
        "pass_through",
        "poll_durations",
        "poll_failures",
        "polled_at",
        "polls",
        "port_probes",
        "privacy",
        "process",
        "prompt",
        "restarts_on_disconnect",
        "revision",
        "sharing",
        "source",
        "state",
        "status",
        "status_fallbacks",
        "target",
        "traffic",
        "tunnel",
        "unparsed_lines",
        "up",
    )

    def __init__(self, target: Target, *, absolute: bool = False) -> None:  # noqa: PLR0915 -- a list
        """With `absolute` the counters start at the daemon's own values: for a single poll."""
        daemon = target.daemon
        self.target = target
        self.name = target.name
        self.has_management = daemon.management is not None
        self.source = StatusSource.MANAGEMENT
        self.privacy = privacy_for(daemon, target.clients)
        self.modes = DaemonModes(target.configured_mode)
        self.clients = ClientTable(target.clients, daemon.expected_clients, absolute=absolute)
        self.port_probes = PortProbes()
        sessions = self.clients.sessions
        self.events = Events(
            sessions.add_logged_connect,
            sessions.add_logged_connects,
            sessions.logins.logged,
            is_trace=self.port_probes.is_trace,
        )
        self._counters = StatusCounters(self.clients, absolute=absolute)
        self.traffic = self._counters.traffic
        self.tunnel = self._counters.tunnel
        self.process = ProcessTracker()
        self.monitored_since: float | None = None
        """The event loop's time at which the exporter began to monitor the daemon."""
        self.up = False
        self.management_up = False
        self.down: DownState | None = None
        self.prompt: str | None = None
        self.restarts_on_disconnect = False
        self.pass_through = False
        self.info: DaemonInfo | None = None
        self.state: State | None = None
        self.status: Status | None = None
        self.polled_at: float | None = None

        self.management_connects = 0
        self.polls = 0
        self.poll_durations = PollDurations()
        self.poll_failures: Counter[DownReason] = Counter()
        self.status_fallbacks = 0
        self.unparsed_lines = 0
        self.failed_commands = FailedCommands()
        self.sharing = SharingState()
        self.certificates: Sequence[CertificateFileState] = ()
        self.client_certificates = ClientCertificates()
        self.revision = self.client_revision = 0
        self.client_listing: object = None  # differs if other sessions are listed, or labels
        self.is_updating = False
        self._fatal_text = ""
        self._order = StatusOrder()

    @property
    def max_clients(self) -> int | None:
        """The configured limit of clients, if known."""
        return self.target.daemon.max_clients

    @property
    def address_pool_size(self) -> int | None:
        """The number of clients that the address pool can serve, if known."""
        return self.target.address_pool_size(self.version.version if self.version else None)

    @property
    def version(self) -> Version | None:
        """The version of OpenVPN, from the reply to `version` or the title of a status."""
        if self.info is not None and self.info.version is not None:
            return self.info.version
        return parse_title(self.status.title) if isinstance(self.status, ServerStatus) else None

    @property
    def mode(self) -> Mode | None:
        """The mode of the daemon, None while unknown."""
        if isinstance(self.status, ServerStatus):
            return Mode.SERVER
        configured = self.target.configured_mode
        if self.status and configured in {Mode.CLIENT, Mode.P2P}:
            return configured
        if self.status and self.info and self.process.states:
            return infer_tunnel_mode(self.process.states)
        return None

    @property
    def down_reason(self) -> DownReason | None:
        """Why the management session is down, None while it is up."""
        return self.down.reason if self.down else None

    @property
    def down_message(self) -> str:
        """The same as a sentence, "" while it is up."""
        return self.down.message(self.privacy) if self.down else ""

    @property
    def was_polled(self) -> bool:
        """Whether a first poll was attempted, successful or not."""
        return self.polls > 0 or self.down_reason is not None
