"""Panels with the names of clients."""

from grafana_foundation_sdk.models import dashboard

from grafana.links import TO_CLIENT
from grafana.panels.bar_gauge import bar_gauge
from grafana.panels.panel import Description, Query, Size
from grafana.panels.table import Text, Value, table
from grafana.panels.time_series import time_series
from grafana.queries import (
    DAEMON_LABELS,
    Selector,
    bits_per_second,
    highest,
    in_milliseconds,
    increase_in_range,
    top_in_range,
)

_CLIENT_LABELS = (*DAEMON_LABELS, "common_name")
_ON_CLIENT = f"on ({', '.join(_CLIENT_LABELS)})"
_RECEIVED = "openvpn_server_client_received_bytes_total"
_SENT = "openvpn_server_client_sent_bytes_total"
_SINCE = "openvpn_server_client_connected_timestamp_seconds"
_SESSIONS = "openvpn_server_client_sessions"
_NAMES_OFF = (
    "no client is connected, the server is down, or client names are disabled "
    "(`clients.series: false`). The other panels need no names."
)

SESSION_COLUMNS = (
    Text("User", "username"),
    Text("Real address", "real_address"),
    Text("Virtual address", "virtual_address"),
    Text("Virtual IPv6 address", "virtual_ipv6_address"),
    Text("Cipher", "cipher"),
    Text("Platform", "platform"),
    Text("Version", "client_version"),
    Text("GUI", "gui"),
)
"""The columns that `openvpn_server_client_info` has for a session."""


def connected(select: Selector) -> dashboard.Panel:
    """Return a table of the connected clients: one row for each session."""
    received, sent = (
        increase_in_range(select(metric), *_CLIENT_LABELS) for metric in (_RECEIVED, _SENT)
    )
    rate = " + ".join(
        bits_per_second(select(metric), *_CLIENT_LABELS) for metric in (_RECEIVED, _SENT)
    )
    return table(
        "Connected clients",
        Description(
            "One row for each session. *Received* (the client's upload) and *Sent* are the volume "
            "in the time range, *Rate* is the current traffic in both directions; sessions of the "
            "same name all have the sum. Click a title to sort, a name for details.",
            "`status`; the platform comes from real-time messages `>CLIENT:ESTABLISHED` or "
            "`peer info` in the log.",
            f"{_NAMES_OFF} Users and addresses need `clients.info`.",
            "two sessions of one name: `duplicate-cn`, or a shared certificate.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            *_SESSION,
            Value(
                "Since",
                _by_session(select, in_milliseconds(highest(select(_SINCE), *_CLIENT_LABELS))),
                unit="dateTimeFromNow",
            ),
            Value("Received", _by_session(select, received), unit="bytes", width=105),
            Value("Sent", _by_session(select, sent), unit="bytes", width=105),
            Value("Rate", _by_session(select, rate), unit="bps", width=105),
        ],
        no_value="No client is connected, the server is down, or names are disabled",
        sort="Client",
        size=Size(24, 11),
    )


_SESSION = (
    Text("User", "username"),
    Text("Real address", "real_address"),
    Text("Virtual address", "virtual_address"),
    Text("Platform", "platform", width=95),
)


def _by_session(select: Selector, value: str) -> str:
    """Return the value of each connected client for each of its sessions, with their labels.

    Without labels of sessions (`clients.info: false`), the value has those of the client.
    """
    sessions = highest(
        select("openvpn_server_client_info"),
        *_CLIENT_LABELS,
        "session",
        *(column.label for column in _SESSION),
    )
    connected_only = f"(({value}) and {_ON_CLIENT} ({select(_SESSIONS)} > 0))"
    return f"{sessions} * {_ON_CLIENT} group_left () ({value}) or {_ON_CLIENT} {connected_only}"


def disconnected(select: Selector) -> dashboard.Panel:
    """Return a table of clients that were connected lately, and are not any more."""
    left = f"{_ON_CLIENT} ({select(_SESSIONS)} == 0)"
    last_seen = highest(
        select("openvpn_server_client_last_seen_timestamp_seconds"), *_CLIENT_LABELS
    )
    return table(
        "Disconnected clients",
        Description(
            "Clients whose last session ended within `forget_after`.",
            "`status`.",
            "no client disconnected, or client names are disabled (`clients.series: false`).",
            "click a name to see its sessions over time, and other servers that it is connected "
            "to.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            Value("Last seen", f"{in_milliseconds(last_seen)} and {left}", unit="dateTimeFromNow"),
        ],
        no_value="None, or names are disabled",
        sort="Last seen",
        descending=True,
        size=Size(24, 7),
    )


def sessions(select: Selector) -> dashboard.Panel:
    """Return a table of sessions with their addresses."""
    return table(
        "Sessions",
        Description(
            "All current sessions, with addresses and peer info.",
            "`status`, real-time messages `>CLIENT:ESTABLISHED`.",
            "no client is connected, or addresses are disabled (`clients.info: false`).",
            "an unexpected real address: find out whose network it is.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            *SESSION_COLUMNS,
            Value("Session", select("openvpn_server_client_info"), shown=False),
        ],
        no_value="No client, or addresses are disabled",
        sort="Client",
        size=Size(24, 12),
    )


def top_by_volume(select: Selector) -> dashboard.Panel:
    """Return the clients with the most traffic in the time range."""
    received, sent = select(_RECEIVED), select(_SENT)
    return bar_gauge(
        "Top 10 clients by volume",
        Description(
            "The ten clients with the most traffic in the time range, both directions together.",
            "`status`. Bytes after the last poll of a session are not counted.",
            _NAMES_OFF,
            "the table *Connected clients* has links to a dashboard for each client.",
        ),
        [
            Query(
                f"sort_desc(topk(10, {increase_in_range(received, 'common_name')} + "
                f"{increase_in_range(sent, 'common_name')}))",
                "{{common_name}}",
            )
        ],
        unit="bytes",
        no_value="No client, or names are disabled",
        size=Size(8, 10),
    )


def top_by_traffic(select: Selector) -> dashboard.Panel:
    """Return the traffic of these clients over time."""
    received, sent = select(_RECEIVED), select(_SENT)
    return time_series(
        "Top 10 clients by traffic",
        Description(
            "The ten clients that received or sent most in the time range: received by the "
            "server above the axis, sent to the client below.",
            "`status`.",
            _NAMES_OFF,
            "one client that uses all bandwidth: often a backup.",
        ),
        [
            Query(
                top_in_range(10, bits_per_second(received, "common_name"), received, "common_name"),
                "{{common_name}} received",
            ),
            Query(
                top_in_range(10, bits_per_second(sent, "common_name"), sent, "common_name"),
                "{{common_name}} sent",
                mirrored=True,
            ),
        ],
        unit="bps",
        no_value="No client, or names are disabled",
        size=Size(16, 10),
    )


def routes(select: Selector) -> dashboard.Panel:
    """Return a table of routes by client."""
    return table(
        "Routes",
        Description(
            "Addresses behind clients, and when the last packet was sent there.",
            "`status`: the routing table.",
            "disabled, which is the default (`clients.routes: true` enables it).",
            "a network without traffic for long may be routed elsewhere.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            Text("Route", "virtual_address"),
            Value(
                "Last used",
                in_milliseconds(select("openvpn_server_route_last_reference_time_seconds")),
                unit="dateTimeFromNow",
            ),
        ],
        no_value="Routes are disabled",
        sort="Client",
        size=Size(24, 8),
    )
