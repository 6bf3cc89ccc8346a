"""A server, and all its clients together."""

import operator
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from exporter.management.batches import row_batches
from exporter.management.peer import PeerInfo
from exporter.management.status import ServerStatus
from exporter.management.values import OTHER
from exporter.metrics.family import (
    Collect,
    LabelledValues,
    PerClientSamples,
    counter,
    gauge,
    histogram,
)
from exporter.state.client_session import ClientSession
from exporter.state.daemon import DaemonState

_K = TypeVar("_K", bound=Hashable)

_PEER_INFO = operator.attrgetter("peer_info")
_CIPHER = operator.attrgetter("last_row.cipher")
_LISTING = operator.attrgetter("client_listing")
_UNKNOWN = "unknown"

_MAX_VALUES = 1000
"""Different values that are counted; no server's clients have so many versions or ciphers."""


def _from_status(value: Callable[[ServerStatus], float | None]) -> Collect:
    """Read a value from the status of a server; other modes have none."""
    return lambda daemon: value(daemon.status) if isinstance(daemon.status, ServerStatus) else None


def _from_sessions(count: Callable[[DaemonState], int | None]) -> Collect:
    """Read a count of a server's sessions, which may have ended since; other modes have none."""

    def collect(daemon: DaemonState) -> int | None:
        counted = count(daemon)
        if counted is None or not isinstance(daemon.status, ServerStatus):
            return None
        return min(counted, len(daemon.status.clients))

    return collect


def _count(values: Iterable[_K], other: _K) -> Generator[None, None, Counter[_K]]:
    """Count values, yielding after each batch; beyond `_MAX_VALUES` all new ones are `other`."""
    counts: Counter[_K] = Counter()
    for batch in row_batches(values):
        for value, count in Counter(batch).items():
            is_counted = value in counts or len(counts) < _MAX_VALUES
            counts[value if is_counted else other] += count
        yield
    return counts


def _most_common(counts: Counter[_K], limit: int, other: _K) -> Mapping[_K, int]:
    """Return `limit` values at most, the least common of them counted as `other`."""
    if len(counts) <= limit:
        return counts
    most_common = Counter(dict(counts.most_common(limit - 1)))
    most_common[other] += counts.total() - most_common.total()
    return most_common


def _sessions(daemon: DaemonState) -> Sequence[ClientSession]:
    """Return the sessions that are counted: a status file may be older than the last status."""
    return daemon.clients.sessions.current if isinstance(daemon.status, ServerStatus) else ()


def _by_platform(daemon: DaemonState) -> Generator[None, None, LabelledValues]:
    # First by peer info as a whole: 10,000 clients have a few different ones.
    peers = yield from _count(map(_PEER_INFO, _sessions(daemon)), PeerInfo(OTHER, OTHER))
    counts: Counter[tuple[str, ...]] = Counter()
    for peer, count in peers.items():
        counts[peer.platform, peer.version] += count
    return _most_common(counts, daemon.target.clients.limit, (OTHER, OTHER))


def _by_cipher(daemon: DaemonState) -> Generator[None, None, LabelledValues]:
    counts = yield from _count(map(_CIPHER, _sessions(daemon)), OTHER)
    if "" in counts:
        counts[_UNKNOWN] += counts.pop("")
    return _most_common(counts, daemon.target.clients.limit, OTHER)


FAMILIES = (
    gauge(
        "openvpn_server_connected_clients",
        "Connected clients: rows with a virtual address or a route, or let in by the daemon.",
        _from_status(lambda status: len(status.clients)),
    ),
    gauge(
        "openvpn_server_pending_clients",
        "Other rows of the status: handshakes, pending authentications, rejected clients, port "
        "scans.",
        _from_status(lambda status: len(status.pending)),
    ),
    gauge(
        "openvpn_server_max_clients",
        "Maximum number of connected clients ('max-clients'), where known.",
        lambda daemon: daemon.max_clients,
    ),
    gauge(
        "openvpn_server_address_pool_size",
        "Number of clients that the address pool can serve ('server', 'ifconfig-pool'), where "
        "known.",
        lambda daemon: daemon.address_pool_size,
    ),
    gauge(
        "openvpn_server_routes",
        "Routes in the server's routing table.",
        _from_status(lambda status: status.route_count),
    ),
    gauge(
        "openvpn_server_max_bcast_mcast_queue_length",
        "Maximum length of the broadcast and multicast queue since the daemon's last restart.",
        _from_status(lambda status: status.max_queue_length),
    ),
    gauge(
        "openvpn_server_dco_enabled",
        "1 if data channel offload (DCO) is enabled, else 0; OpenVPN 2.6 and later.",
        _from_status(lambda status: status.dco_enabled),
    ),
    gauge(
        "openvpn_server_idle_clients",
        "Connected clients that moved fewer bytes than 'clients.idle_rate' for "
        "'clients.idle_after'; known after that time, and a tenth of it old at most.",
        _from_sessions(lambda daemon: daemon.clients.idle.count),
    ),
    gauge(
        "openvpn_server_client_names_at_several_addresses",
        "Names with sessions from more than one real address at the same time; a minute old at "
        "most.",
        _from_sessions(lambda daemon: daemon.clients.counts.names_at_several_addresses),
    ),
    gauge(
        "openvpn_server_clients_with_other_username",
        "Connected clients whose user name is not their common name; a minute old at most.",
        _from_sessions(lambda daemon: daemon.clients.counts.other_usernames),
    ),
    counter(
        "openvpn_server_client_connects_total",
        "Client sessions started; counting those shorter than a poll interval needs 'verb 3'.",
        lambda daemon: None if daemon.modes.is_tunnel else daemon.clients.sessions.connects,
    ),
    counter(
        "openvpn_server_client_disconnects_total",
        "Client sessions ended.",
        lambda daemon: None if daemon.modes.is_tunnel else daemon.clients.sessions.disconnects,
    ),
    histogram(
        "openvpn_server_client_session_duration_seconds",
        "Duration of ended client sessions in seconds, as seen by polls; none is over a year.",
        lambda daemon: None if daemon.modes.is_tunnel else daemon.clients.sessions.durations,
        inputs=lambda daemon: (
            daemon.modes.is_tunnel,
            daemon.clients.sessions.durations.cumulative,
        ),
    ),
    gauge(
        "openvpn_server_clients_by_platform",
        "Connected clients by announced platform and version (IV_PLAT, IV_VER); unknown for "
        "those that connected before the exporter.",
        PerClientSamples(_by_platform),
        labels=("platform", "client_version"),
        inputs=_LISTING,
    ),
    gauge(
        "openvpn_server_clients_by_cipher",
        "Connected clients by data channel cipher; OpenVPN 2.5 and later.",
        PerClientSamples(_by_cipher),
        labels=("cipher",),
        inputs=_LISTING,
    ),
)
