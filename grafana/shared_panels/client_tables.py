"""Panels with client names, for collapsed rows of a server."""

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
_RECEIVED = "openvpn_server_client_received_bytes_total"
_SENT = "openvpn_server_client_sent_bytes_total"
_NAMES_OFF = (
    "no client is connected, or client names are disabled (`clients.series: false`). The rows "
    "above need no names."
)

SESSION_COLUMNS = (
    Text("User", "username"),
    Text("Client ID", "client_id"),
    Text("Real address", "real_address"),
    Text("Virtual address", "virtual_address"),
    Text("Virtual IPv6 address", "virtual_ipv6_address"),
    Text("Cipher", "cipher"),
    Text("Platform", "platform"),
    Text("Version", "client_version"),
    Text("GUI", "gui"),
)
"""The columns that `openvpn_server_client_info` has for a session."""


def clients(select: Selector) -> dashboard.Panel:
    """Return a table of clients: sessions, times and traffic."""
    return table(
        "Clients",
        Description(
            "Clients that are or were connected, with the traffic of all their sessions; *Volume* "
            "is over the time range. A disconnected client stays for `forget_after`, with 0 "
            "sessions. Click a name for details.",
            "`status`.",
            _NAMES_OFF,
            "two sessions of one name: `duplicate-cn`, or a shared certificate.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            Text("Server", "daemon", hidden=True),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
            *_values(select),
        ],
        no_value="No names, or no clients",
        sort="Received",
        descending=True,
        size=Size(24, 12),
    )


def _values(select: Selector) -> list[Value]:
    received, sent = select(_RECEIVED), select(_SENT)
    return [
        Value("Sessions", highest(select("openvpn_server_client_sessions"), *_CLIENT_LABELS)),
        _time("Connected", select("openvpn_server_client_connected_timestamp_seconds")),
        _time("Last seen", select("openvpn_server_client_last_seen_timestamp_seconds")),
        Value("Received", bits_per_second(received, *_CLIENT_LABELS), unit="bps"),
        Value("Sent", bits_per_second(sent, *_CLIENT_LABELS), unit="bps"),
        Value(
            "Volume",
            f"{increase_in_range(received, *_CLIENT_LABELS)} + "
            f"{increase_in_range(sent, *_CLIENT_LABELS)}",
            unit="bytes",
        ),
    ]


def _time(title: str, timestamp: str) -> Value:
    return Value(
        title, in_milliseconds(highest(timestamp, *_CLIENT_LABELS)), unit="dateTimeFromNow"
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
            Text("Server", "daemon", hidden=True),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
            Value("Session", select("openvpn_server_client_info"), shown=False),
        ],
        no_value="No addresses, or no clients",
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
            "the table *Clients* has links to a dashboard for each client.",
        ),
        [
            Query(
                f"sort_desc(topk(10, {increase_in_range(received, 'common_name')} + "
                f"{increase_in_range(sent, 'common_name')}))",
                "{{common_name}}",
            )
        ],
        unit="bytes",
        no_value="No names, or no clients",
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
        no_value="No names, or no clients",
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
            Text("Server", "daemon", hidden=True),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
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
