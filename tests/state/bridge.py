"""A bridge as a test sees it: statuses whose rows prove no login, messages and log lines."""

from collections.abc import Callable

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import TcpEndpoint
from exporter.management.notifications import ClientEvent, LogLine
from exporter.management.replies import LoadStats, Poll
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.daemon import DaemonState

SINCE = 1795405800
ALICE = ClientRow(
    "alice", "192.0.2.7:4", "", "", 100, 200, SINCE, client_id=3, cipher="AES-256-GCM"
)


def bridge() -> DaemonState:
    management = TcpEndpoint("127.0.0.1", 7505)
    daemon = DaemonState(Target(DaemonConfig(name="bridge", management=management)))
    daemon.on_connect()
    return daemon


def poll(
    daemon: DaemonState,
    *,
    clients: tuple[ClientRow, ...] = (),
    pending: tuple[ClientRow, ...] = (),
    meanwhile: Callable[[], None] = lambda: None,
    unparsed: int = 0,
) -> tuple[int, int]:
    """Poll a status; return the numbers of connected and of pending clients.

    `meanwhile` is called when the status is received, before it is parsed.
    """
    status = ServerStatus(
        SINCE + 200,
        clients=clients,
        pending=pending,
        route_count=len(clients),
        unparsed=unparsed,
    )
    daemon.on_status_received()
    meanwhile()
    run_batches(daemon.on_poll(Poll(LoadStats(1, 0, 0), status), now=SINCE + 200.0, duration=0.1))
    assert isinstance(daemon.status, ServerStatus)
    return len(daemon.status.clients), len(daemon.status.pending)


def log_history(daemon: DaemonState, *lines: LogLine) -> None:
    """Read the log cache at the start of a session."""
    run_batches(daemon.on_log_history(lines))


def log(daemon: DaemonState, *lines: LogLine) -> None:
    """Receive log lines in real time."""
    for line in lines:
        daemon.on_notification("LOG", line)


def established(daemon: DaemonState, client_id: int = 3, **env: str) -> None:
    variables = {"common_name": "alice", "time_unix": str(SINCE), **env}
    daemon.on_notification("CLIENT", ClientEvent("ESTABLISHED", client_id, env=variables))
