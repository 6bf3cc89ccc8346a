"""A server as a whole."""

from collections import Counter
from collections.abc import Callable, Iterable

from exporter.management.status import ServerStatus
from exporter.metrics.family import Sample, by_label, counter, gauge, histogram, single
from exporter.state.daemon import DaemonState


def _of_status(
    value: Callable[[ServerStatus], float | None],
) -> Callable[[DaemonState], Iterable[Sample]]:
    """Take a value from the status of a server; none in other modes."""
    return lambda daemon: (
        single(value(daemon.status)) if isinstance(daemon.status, ServerStatus) else ()
    )


def _of_server(value: Callable[[DaemonState], float]) -> Callable[[DaemonState], Iterable[Sample]]:
    """Take a counter of servers; it stands at 0 before the first poll, and tunnels have none."""
    return lambda daemon: () if daemon.is_tunnel else single(value(daemon))


def _by_platform(daemon: DaemonState) -> Iterable[Sample]:
    if not isinstance(daemon.status, ServerStatus):
        return ()
    # Peers by themselves first: of ten thousand clients there are a few kinds.
    peers = Counter([session.peer_info for session, _, _, _ in daemon.clients.sessions.current])
    counts: Counter[tuple[str, ...]] = Counter()
    for peer, count in peers.items():
        counts[peer.platform, peer.version] += count
    return counts.items()


def _by_cipher(daemon: DaemonState) -> Iterable[Sample]:
    if not isinstance(daemon.status, ServerStatus):
        return ()
    ciphers = Counter([client.cipher or "unknown" for client in daemon.status.clients])
    return by_label(ciphers)


FAMILIES = (
    gauge(
        "openvpn_server_connected_clients",
        "Clients that are connected: rows of the status with a virtual address.",
        _of_status(lambda status: len(status.clients)),
    ),
    gauge(
        "openvpn_server_pending_clients",
        "Other rows of the status: handshaking, being authenticated, just rejected, port scans.",
        _of_status(lambda status: len(status.pending)),
    ),
    gauge(
        "openvpn_server_max_clients",
        "The daemon's 'max-clients', if discovered or configured.",
        lambda daemon: single(daemon.max_clients),
    ),
    gauge(
        "openvpn_server_routes",
        "Rows of the server's routing table.",
        _of_status(lambda status: status.route_count),
    ),
    gauge(
        "openvpn_server_max_bcast_mcast_queue_length",
        "Highest fill level of the broadcast and multicast queue since the daemon's last restart.",
        _of_status(lambda status: status.max_queue_length),
    ),
    gauge(
        "openvpn_server_dco_enabled",
        "1 if the data channel is offloaded to the kernel (2.6 and later).",
        _of_status(lambda status: status.dco_enabled),
    ),
    counter(
        "openvpn_server_client_connects_total",
        "Sessions of clients that began; those too short for a poll need 'verb 3'.",
        _of_server(lambda daemon: daemon.clients.sessions.connects),
    ),
    counter(
        "openvpn_server_client_disconnects_total",
        "Sessions of clients that ended.",
        _of_server(lambda daemon: daemon.clients.sessions.disconnects),
    ),
    histogram(
        "openvpn_server_client_session_duration_seconds",
        "How long sessions of clients lasted, observed at their end, by polls.",
        lambda daemon: None if daemon.is_tunnel else daemon.clients.sessions.durations,
    ),
    gauge(
        "openvpn_server_clients_by_platform",
        "Connected clients by what they announce of themselves; unknown if they came before us.",
        _by_platform,
        labels=("platform", "client_version"),
        per_client=True,
    ),
    gauge(
        "openvpn_server_clients_by_cipher",
        "Connected clients by the cipher of their data channel (2.5 and later).",
        _by_cipher,
        labels=("cipher",),
        per_client=True,
    ),
)
