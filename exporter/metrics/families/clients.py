"""The clients of a server, each by itself.

The label `common_name` is the common name or the username, as `clients.identity` configures it.
"""

import operator
from collections.abc import Generator, Iterable, Mapping

from exporter.management.batches import row_batches
from exporter.management.status import ClientRow, ServerStatus
from exporter.management.values import parse_real_address
from exporter.metrics.family import (
    LabelledValues,
    PerClientSamples,
    PerClientValues,
    PerSessionInfo,
    Samples,
    counter,
    gauge,
    info,
)
from exporter.state.client_session import ClientSession
from exporter.state.client_totals import ClientTotals
from exporter.state.daemon import DaemonState
from exporter.state.privacy import Privacy


def _totals(daemon: DaemonState) -> Mapping[str, ClientTotals]:
    if daemon.modes.is_tunnel or not daemon.privacy.shows_clients:
        return {}
    return daemon.clients.totals


_LISTING = operator.attrgetter("client_listing")


def _client_values(field: str) -> PerClientValues:
    """Read a field of the totals of each client."""
    return PerClientValues(_totals, operator.attrgetter(field))


def _last_seen(daemon: DaemonState) -> Generator[None, None, LabelledValues]:
    # With the time of each poll, every client would have a new value at each poll.
    disconnected = [
        (name, client.last_seen)
        for name, client in _totals(daemon).items()
        if not client.sessions and client.last_seen is not None
    ]
    values: dict[str, float] = {}
    for batch in row_batches(disconnected):
        values |= {daemon.privacy.name(name): seen for name, seen in batch}
        yield
    return values


def _sessions(daemon: DaemonState) -> Iterable[ClientSession]:
    if not isinstance(daemon.status, ServerStatus) or not daemon.privacy.shows_clients:
        return ()
    return daemon.clients.listed_sessions()


def _session_labels(privacy: Privacy, session: ClientSession, row: ClientRow) -> tuple[str, ...]:
    peer = session.peer_info
    return (
        privacy.name(session.name),
        privacy.name(row.username),
        # Without the port, which differs with each connection of a client.
        privacy.address(parse_real_address(row.real_address).host),
        privacy.address(row.virtual_address),
        privacy.address(row.virtual_ipv6_address),
        row.cipher,
        peer.platform,
        peer.version,
        peer.gui,
    )


def _route_references(daemon: DaemonState) -> Generator[None, None, LabelledValues]:
    latest: dict[tuple[str, ...], float] = {}
    if not isinstance(daemon.status, ServerStatus) or not daemon.privacy.shows_clients:
        return latest
    privacy, limit = daemon.privacy, daemon.target.clients.limit
    for batch in row_batches(daemon.status.routes):
        for route in batch:
            labels = (privacy.name(route.common_name), privacy.address(route.virtual_address))
            if labels in latest or len(latest) < limit:
                latest[labels] = max(latest.get(labels, 0), route.last_reference)
        yield
    return latest


def _expected(daemon: DaemonState) -> Samples:
    if not daemon.privacy.shows_clients:
        return None
    totals = daemon.clients.totals
    return {
        daemon.privacy.name(name): int(not daemon.modes.is_tunnel and totals[name].sessions > 0)
        for name in sorted(daemon.clients.expected)
    }


EXPECTED = (
    gauge(
        "openvpn_server_expected_client_connected",
        "1 if a client of 'expected_clients' is connected, else 0; always present while the "
        "daemon is up.",
        _expected,
        labels=("common_name",),
    ),
)
"""For daemons with `expected_clients`."""

SERIES = (
    counter(
        "openvpn_server_client_received_bytes_total",
        "Bytes received from a client by the server, summed over all its sessions, past and "
        "present.",
        _client_values("received_bytes"),
        labels=("common_name",),
    ),
    counter(
        "openvpn_server_client_sent_bytes_total",
        "Bytes sent to a client by the server, summed over all its sessions, past and present.",
        _client_values("sent_bytes"),
        labels=("common_name",),
    ),
    gauge(
        "openvpn_server_client_sessions",
        "Current sessions of a client; 0 for 'clients.forget_after' after the last one ended.",
        _client_values("sessions"),
        labels=("common_name",),
        inputs=_LISTING,
    ),
    gauge(
        "openvpn_server_client_connected_timestamp_seconds",
        "Unix time of the start of a client's oldest current session.",
        _client_values("connected_since"),
        labels=("common_name",),
        inputs=_LISTING,
    ),
    gauge(
        "openvpn_server_client_last_seen_timestamp_seconds",
        "Unix time of the last poll that found a client connected; only while it is not.",
        PerClientSamples(_last_seen),
        labels=("common_name",),
        inputs=_LISTING,
    ),
)
"""Enabled by `clients.series`."""

INFO = (
    info(
        "openvpn_server_client_info",
        "One series per current session, 'clients.limit' at most; real_address has no port, and "
        "session numbers the sessions with equal labels, from 2.",
        PerSessionInfo(_sessions, _session_labels),
        inputs=_LISTING,
        labels=(
            "common_name",
            "username",
            "real_address",
            "virtual_address",
            "virtual_ipv6_address",
            "cipher",
            "platform",
            "client_version",
            "gui",
            "session",
        ),
    ),
)
"""Enabled by `clients.info`."""

ROUTES = (
    gauge(
        "openvpn_server_route_last_reference_time_seconds",
        "Unix time of the last use of a route towards its client; 'clients.limit' series at most.",
        PerClientSamples(_route_references),
        labels=("common_name", "virtual_address"),
    ),
)
"""Enabled by `clients.routes`."""
