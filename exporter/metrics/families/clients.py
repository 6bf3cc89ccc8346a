"""A server's clients, one by one.

The label `common_name` holds the identity: the common name, or the user name, by configuration.
"""

import operator
from collections.abc import Callable, Iterable, Sequence

from exporter.management.peer import PeerInfo
from exporter.management.status import ServerStatus
from exporter.management.values import parse_real_address
from exporter.metrics.family import (
    Family,
    InfoSource,
    PerClientValues,
    Sample,
    client_counter,
    client_gauge,
    client_info,
    gauge,
)
from exporter.state.clients import ClientTotals
from exporter.state.daemon import DaemonState
from exporter.state.privacy import Privacy

_INFO_LABELS = (
    "common_name",
    "client_id",
    "username",
    "real_address",
    "virtual_address",
    "virtual_ipv6_address",
    "cipher",
    "platform",
    "client_version",
    "gui",
)


def _names(daemon: DaemonState) -> Sequence[str]:
    """Give each identity as it may be shown."""
    if not daemon.privacy.shows_clients:
        return []
    return list(map(daemon.privacy.name, daemon.clients.totals))


def _of_account(field: str) -> PerClientValues:
    """Take a field of each identity's account, in the order of the names."""
    value: Callable[[ClientTotals], float | None] = operator.attrgetter(field)

    def values(daemon: DaemonState) -> Sequence[float | None]:
        if not daemon.privacy.shows_clients:
            return []
        return list(map(value, daemon.clients.totals.values()))

    return PerClientValues(_names, values)


_Facts = tuple[Privacy, str, int | None, str, str, str, str, str, PeerInfo]


def _session_facts(daemon: DaemonState) -> Iterable[_Facts]:
    if not isinstance(daemon.status, ServerStatus) or not daemon.privacy.shows_clients:
        return []
    privacy = daemon.privacy
    return (
        (
            privacy,
            session.name,
            client.client_id,
            client.username,
            client.real_address,
            client.virtual_address,
            client.virtual_ipv6_address,
            client.cipher,
            session.peer_info,
        )
        for session, client, _, _ in daemon.clients.sessions.current
    )


def _session_labels(keys: _Facts) -> tuple[str, ...]:
    shown, name, client_id, username, real_address, ipv4, ipv6, cipher, peer = keys
    return (
        shown.name(name),
        "" if client_id is None else str(client_id),
        shown.name(username),
        # Without the port: a client has another one each time it comes.
        shown.address(parse_real_address(real_address).host),
        shown.address(ipv4),
        shown.address(ipv6),
        cipher,
        peer.platform,
        peer.version,
        peer.gui,
    )


def _route_references(daemon: DaemonState) -> Iterable[Sample]:
    if not isinstance(daemon.status, ServerStatus) or not daemon.privacy.shows_clients:
        return []
    shown = daemon.privacy
    latest: dict[tuple[str, ...], float] = {}
    for route in daemon.status.routes:
        labels = (shown.name(route.common_name), shown.address(route.virtual_address))
        latest[labels] = max(latest.get(labels, 0), route.last_reference)
    return latest.items()


def _expected(daemon: DaemonState) -> Iterable[Sample]:
    if not daemon.privacy.shows_clients:
        return []
    totals = daemon.clients.totals
    return [
        ((daemon.privacy.name(name),), int(totals[name].sessions > 0))
        for name in sorted(daemon.clients.expected)
    ]


EXPECTED = (
    gauge(
        "openvpn_server_expected_client_connected",
        "1 if a client of 'expected_clients' is connected; always present while the daemon is up.",
        _expected,
        labels=("common_name",),
    ),
)
"""For every server with expected clients."""

SERIES = (
    client_counter(
        "openvpn_server_client_received_bytes_total",
        "Bytes received from a client by the server, over all of its sessions, past and present.",
        _of_account("received_bytes"),
        label="common_name",
    ),
    client_counter(
        "openvpn_server_client_sent_bytes_total",
        "Bytes sent to a client by the server, over all of its sessions, past and present.",
        _of_account("sent_bytes"),
        label="common_name",
    ),
    client_gauge(
        "openvpn_server_client_sessions",
        "Current sessions of a client; 0 for 'forget_after' once it has left.",
        _of_account("sessions"),
        label="common_name",
    ),
    client_gauge(
        "openvpn_server_client_connected_timestamp_seconds",
        "Unix time at which a client's oldest current session began.",
        _of_account("connected_since"),
        label="common_name",
    ),
    client_gauge(
        "openvpn_server_client_last_seen_timestamp_seconds",
        "Unix time of the last poll that found a client connected.",
        _of_account("last_seen"),
        label="common_name",
    ),
)
"""For `clients.series`."""

INFO: tuple[Family, ...] = (
    client_info(
        "openvpn_server_client_info",
        "One per current session; real_address is without the client's ephemeral port.",
        InfoSource(_session_facts, _session_labels),
        labels=_INFO_LABELS,
    ),
)
"""For `clients.info`."""

ROUTES = (
    gauge(
        "openvpn_server_route_last_reference_time_seconds",
        "Unix time at which a route was last used towards its client.",
        _route_references,
        labels=("common_name", "virtual_address"),
        per_client=True,
    ),
)
"""For `clients.routes`."""

FAMILIES = (*EXPECTED, *SERIES, *INFO, *ROUTES)
