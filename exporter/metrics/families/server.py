"""A server as a whole."""

from collections import Counter
from collections.abc import Callable

from exporter.management.status import ServerStatus
from exporter.metrics.family import (
    Collect,
    LabelledValues,
    PerClientSamples,
    counter,
    gauge,
    histogram,
)
from exporter.state.daemon import DaemonState


def _from_status(value: Callable[[ServerStatus], float | None]) -> Collect:
    """Read a value from the status of a server; other modes have none."""
    return lambda daemon: value(daemon.status) if isinstance(daemon.status, ServerStatus) else None


def _by_platform(daemon: DaemonState) -> LabelledValues:
    counts: Counter[tuple[str, ...]] = Counter()
    if isinstance(daemon.status, ServerStatus):
        # First by peer info as a whole: 10,000 clients have a few different ones.
        sessions = daemon.clients.sessions.current
        for peer, count in Counter([session.peer_info for session, _, _, _ in sessions]).items():
            counts[peer.platform, peer.version] += count
    return counts


def _by_cipher(daemon: DaemonState) -> LabelledValues:
    clients = daemon.status.clients if isinstance(daemon.status, ServerStatus) else ()
    return Counter([client.cipher or "unknown" for client in clients])


FAMILIES = (
    gauge(
        "openvpn_server_connected_clients",
        "Clients that are connected: rows of the status with a virtual address.",
        _from_status(lambda status: len(status.clients)),
    ),
    gauge(
        "openvpn_server_pending_clients",
        "Other rows of the status: handshaking, being authenticated, just rejected, port scans.",
        _from_status(lambda status: len(status.pending)),
    ),
    gauge(
        "openvpn_server_max_clients",
        "The daemon's 'max-clients', if discovered or configured.",
        lambda daemon: daemon.max_clients,
    ),
    gauge(
        "openvpn_server_routes",
        "Rows of the server's routing table.",
        _from_status(lambda status: status.route_count),
    ),
    gauge(
        "openvpn_server_max_bcast_mcast_queue_length",
        "Highest fill level of the broadcast and multicast queue since the daemon's last restart.",
        _from_status(lambda status: status.max_queue_length),
    ),
    gauge(
        "openvpn_server_dco_enabled",
        "1 if the data channel is offloaded to the kernel (2.6 and later).",
        _from_status(lambda status: status.dco_enabled),
    ),
    counter(
        "openvpn_server_client_connects_total",
        "Sessions of clients that began; those too short for a poll need 'verb 3'.",
        lambda daemon: None if daemon.is_tunnel else daemon.clients.sessions.connects,
    ),
    counter(
        "openvpn_server_client_disconnects_total",
        "Sessions of clients that ended.",
        lambda daemon: None if daemon.is_tunnel else daemon.clients.sessions.disconnects,
    ),
    histogram(
        "openvpn_server_client_session_duration_seconds",
        "How long sessions of clients lasted, observed at their end, by polls.",
        lambda daemon: None if daemon.is_tunnel else daemon.clients.sessions.durations,
    ),
    gauge(
        "openvpn_server_clients_by_platform",
        "Connected clients by what they announce of themselves; unknown if they came before us.",
        PerClientSamples(_by_platform),
        labels=("platform", "client_version"),
    ),
    gauge(
        "openvpn_server_clients_by_cipher",
        "Connected clients by the cipher of their data channel (2.5 and later).",
        PerClientSamples(_by_cipher),
        labels=("cipher",),
    ),
)
