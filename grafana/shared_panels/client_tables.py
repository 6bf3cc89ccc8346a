"""What names its clients: for rows of a server that are closed at first."""

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
    "nobody is connected; or names are switched off (`clients.series: false`): the rows above need "
    "none."
)

SESSION = (
    Text("User", "username"),
    Text("Client id", "client_id"),
    Text("Comes from", "real_address"),
    Text("Address", "virtual_address"),
    Text("IPv6 address", "virtual_ipv6_address"),
    Text("Cipher", "cipher"),
    Text("Platform", "platform"),
    Text("Version", "client_version"),
    Text("Program", "gui"),
)
"""Columns of `openvpn_server_client_info`: what a session is."""


def clients(select: Selector) -> dashboard.Panel:
    """Show what each client does, and when it was there."""
    return table(
        "Clients",
        Description(
            "Clients that are or were connected, with the traffic of all of their sessions. One "
            "that left stays for `forget_after`, with 0 sessions. Click a name to look closer.",
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
        no_value="No names, or nobody",
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
            "Volume in range",
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
    """Show every session with its addresses."""
    return table(
        "Sessions",
        Description(
            "Every current session with its addresses and what the client announces of itself.",
            "`status`, real-time messages `>CLIENT:ESTABLISHED`.",
            "nobody is connected; or addresses are switched off (`clients.info: false`).",
            "a real address that surprises: ask whose line it is.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            *SESSION,
            Text("Server", "daemon", hidden=True),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
            Value("Session", select("openvpn_server_client_info"), shown=False),
        ],
        no_value="No addresses, or nobody",
        sort="Client",
        size=Size(24, 12),
    )


def most_volume(select: Selector) -> dashboard.Panel:
    """Show who moved most."""
    received, sent = select(_RECEIVED), select(_SENT)
    return bar_gauge(
        "Most volume in range",
        Description(
            "The ten clients that moved most in the time range, both directions together.",
            "`status`. What moves between the last poll of a session and its end is not seen.",
            _NAMES_OFF,
            "click through from the table of clients to see one over time.",
        ),
        [
            Query(
                f"sort_desc(topk(10, {increase_in_range(received, 'common_name')} + "
                f"{increase_in_range(sent, 'common_name')}))",
                "{{common_name}}",
            )
        ],
        unit="bytes",
        no_value="No names, or nobody",
        size=Size(8, 10),
    )


def most_traffic(select: Selector) -> dashboard.Panel:
    """Show the traffic of those over time."""
    received, sent = select(_RECEIVED), select(_SENT)
    return time_series(
        "Traffic of the ten",
        Description(
            "The ten clients that received or sent most in the time range: what they sent to the "
            "server above the axis, what they got below.",
            "`status`.",
            _NAMES_OFF,
            "one that fills the line all day is a backup, or worse.",
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
        no_value="No names, or nobody",
        size=Size(16, 10),
    )


def routes(select: Selector) -> dashboard.Panel:
    """Show what is routed to whom."""
    return table(
        "Routes",
        Description(
            "Addresses behind clients, and when a packet last went there.",
            "`status`: the routing table.",
            "switched off, as it is by default (`clients.routes: true` switches it on).",
            "a network that was not used for long may be routed elsewhere.",
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
        no_value="Routes are switched off",
        sort="Client",
        size=Size(24, 8),
    )
