"""One client, as the servers see it: when it was there, and what it moved."""

from grafana import mappings
from grafana.layout import Row, build_dashboard
from grafana.links import TO_SERVER
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.state_timeline import state_timeline
from grafana.panels.table import Text, Value, table
from grafana.panels.time_series import time_series
from grafana.queries import (
    CLIENT_MATCHERS,
    DAEMON_LABELS,
    Selector,
    age,
    bits_per_second,
    highest,
    in_milliseconds,
    increase_in_range,
    total,
)
from grafana.shared_panels.client_tables import SESSION
from grafana.variables import clients

_select = Selector(CLIENT_MATCHERS)
_SESSIONS = _select("openvpn_server_client_sessions")
_SINCE = _select("openvpn_server_client_connected_timestamp_seconds")
_RECEIVED = _select("openvpn_server_client_received_bytes_total")
_SENT = _select("openvpn_server_client_sent_bytes_total")
_EXPECTED = _select("openvpn_server_expected_client_connected")

_UNKNOWN = (
    "the client has not been seen within `forget_after`; or names are switched off "
    "(`clients.series: false`), which leaves the presence of expected clients."
)

_NOW = stat(
    "Now",
    Description(
        "Whether the client is connected to any of the chosen servers.",
        "`status`.",
        _UNKNOWN,
        "below stands when and where it was last.",
    ),
    Query(f"clamp_max({total(_SESSIONS)}, 2) or {highest(_EXPECTED)}"),
    unit="none",
    mappings=mappings.CLIENT_SESSIONS,
    no_value="not seen",
)

_CONNECTED_FOR = stat(
    "Connected for",
    Description(
        "How long the client's oldest current session has lasted.",
        "`status`.",
        "the client is not connected.",
        "always short: a line that breaks, or a client that restarts.",
    ),
    Query(age(f"min({_SINCE})")),
    unit="s",
    no_value="not connected",
)

_LAST_SEEN = stat(
    "Last seen",
    Description(
        "When a poll last found the client connected.",
        "`status`.",
        _UNKNOWN,
        "compare with when its users noticed.",
    ),
    Query(in_milliseconds(highest(_select("openvpn_server_client_last_seen_timestamp_seconds")))),
    unit="dateTimeFromNow",
    no_value="not seen",
)

_AVAILABILITY = stat(
    "Connected in range",
    Description(
        "Share of the time range in which this expected client was connected, while its server "
        "was up.",
        "`status`, for the names in `expected_clients` of the configuration.",
        "the client is not among the expected ones.",
        "the timeline shows whether it is one long outage or many short ones.",
    ),
    Query(f"max(avg_over_time({_EXPECTED}[$__range]))"),
    unit="percentunit",
    decimals=1,
    colours=thresholds("red", (0.95, "yellow"), (0.99, "green")),
    no_value="not expected",
)

_VOLUME_RECEIVED = stat(
    "Received in range",
    Description(
        "What the servers received from the client in the time range, over all of its sessions.",
        "`status`. The last seconds of a session, after its last poll, are not seen.",
        _UNKNOWN,
        "for bills and plans of capacity.",
    ),
    Query(increase_in_range(_RECEIVED)),
    unit="bytes",
    no_value="not seen",
)

_VOLUME_SENT = stat(
    "Sent in range",
    Description(
        "What the servers sent to the client in the time range, over all of its sessions.",
        "`status`. The last seconds of a session, after its last poll, are not seen.",
        _UNKNOWN,
        "for bills and plans of capacity.",
    ),
    Query(increase_in_range(_SENT)),
    unit="bytes",
    no_value="not seen",
)

_PRESENCE = state_timeline(
    "Presence",
    Description(
        "When the client was connected, by server. Sessions between two polls leave no trace.",
        "`status`.",
        _UNKNOWN,
        "many short pieces: the client can't stay; see the server's log events at those times.",
    ),
    Query(
        f"clamp_max({highest(_SESSIONS, *DAEMON_LABELS)}, 2) "
        f"or {highest(_EXPECTED, *DAEMON_LABELS)}",
        "{{daemon}} @ {{instance}}",
    ),
    mappings=mappings.CLIENT_SESSIONS,
    no_value="Not seen in this time range",
    size=Size(24, 5),
)

_TRAFFIC = time_series(
    "Traffic",
    Description(
        "What the server received from the client above the axis, what it sent to it below; with "
        "keepalives, so never quite zero.",
        "`status`.",
        _UNKNOWN,
        "a few bytes only while the client should work: routing behind it.",
    ),
    [
        Query(bits_per_second(_RECEIVED, "daemon"), "{{daemon}} received"),
        Query(bits_per_second(_SENT, "daemon"), "{{daemon}} sent", mirrored=True),
    ],
    unit="bps",
    no_value="Not seen in this time range",
)

_AGE = time_series(
    "Age of the session",
    Description(
        "For how long the client's oldest session had lasted: each fall to zero is a new one.",
        "`status`.",
        "the client was not connected in the time range.",
        "teeth of equal size: something ends the session regularly, as `reneg-sec` with a one-time "
        "password, or a router's time-out.",
    ),
    [Query(age(highest(_SINCE, *DAEMON_LABELS)), "{{daemon}} @ {{instance}}")],
    unit="s",
    no_value="Not connected in this time range",
)

_DETAILS = table(
    "Sessions now",
    Description(
        "The client's current sessions, with addresses and what it announces of itself.",
        "`status`, real-time messages `>CLIENT:ESTABLISHED`.",
        "the client is not connected; or addresses are switched off (`clients.info: false`).",
        "an address that changes often: a mobile line, or a shared certificate.",
    ),
    [
        Text("Server", "daemon", links=(TO_SERVER,)),
        *SESSION,
        Text("Exporter", "instance", hidden=True),
        Text("Job", "job", hidden=True),
        Value("Session", _select("openvpn_server_client_info"), shown=False),
    ],
    no_value="No addresses, or not connected",
    sort="Server",
    size=Size(24, 6),
)

DASHBOARD = build_dashboard(
    "openvpn-client",
    "OpenVPN / Client",
    "One client of the servers, by its name: a site, a person, or a pseudonym. Needs "
    "`clients.series`, which is on by default.",
    variables=clients(),
    rows=[
        Row(
            "At a glance",
            [_NOW, _CONNECTED_FOR, _LAST_SEEN, _AVAILABILITY, _VOLUME_RECEIVED, _VOLUME_SENT],
        ),
        Row("Over time", [_PRESENCE, _TRAFFIC, _AGE]),
        Row("Sessions", [_DETAILS], collapsed=True),
    ],
)
