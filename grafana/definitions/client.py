"""The dashboard of one client: when it was connected, and its traffic."""

from grafana import mappings
from grafana.layout import Row, build_dashboard
from grafana.links import TO_SERVER
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import EIGHTH, stat
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
from grafana.shared_panels import availability, expected_clients, usage
from grafana.shared_panels.client_tables import SESSION_COLUMNS
from grafana.variables import clients

_select = Selector(CLIENT_MATCHERS)
_SESSIONS = _select("openvpn_server_client_sessions")
_SINCE = _select("openvpn_server_client_connected_timestamp_seconds")
_RECEIVED = _select("openvpn_server_client_received_bytes_total")
_SENT = _select("openvpn_server_client_sent_bytes_total")
_EXPECTED_NOW = _select("openvpn_server_expected_client_connected")
_EXPECTED = expected_clients.connected(_select)

_UNKNOWN = (
    "the client was not seen within `forget_after`, or client names are disabled "
    "(`clients.series: false`). Expected clients are shown even then."
)

_IS_CONNECTED = f"clamp_max({total(_SESSIONS)}, 2) or {highest(_EXPECTED)}"
_IS_MISSED = f"{mappings.CLIENT_MISSING} * (min({_EXPECTED}) == bool 0)"

_CONNECTION = stat(
    "Connection",
    Description(
        "Whether the client is connected to any of the selected servers. MISSING: it is expected, "
        "and not connected. AT OTHER SERVER: it is connected, but a server that expects it misses "
        "it.",
        "`status`; `expected_clients` of the configuration.",
        _UNKNOWN,
        "*Connected to* and *Current sessions* show where it is, *Connected* when it was.",
    ),
    Query(f"({_IS_CONNECTED}) + {_IS_MISSED} or {_IS_CONNECTED}"),
    unit="none",
    mappings=mappings.CLIENT_SESSIONS,
    no_value="not seen",
)

_CONNECTED_TO = stat(
    "Connected to",
    Description(
        "The servers that the client is connected to.",
        "`status`.",
        "the client is not connected, or client names are disabled (`clients.series: false`).",
        "*Connected* shows since when, and where it was before.",
    ),
    Query(highest(f"{_SESSIONS} > 0", "daemon")),
    unit="none",
    label="daemon",
    no_value="no server",
)

_CONNECTED_FOR = stat(
    "Connected for",
    Description(
        "Age of the client's oldest current session.",
        "`status`.",
        "the client is not connected.",
        "always short: an unstable network, or a client that restarts.",
    ),
    Query(age(f"min({_SINCE})")),
    unit="s",
    no_value="not connected",
)

_LAST_SEEN = stat(
    "Last seen",
    Description(
        "When a poll last found the client connected, while it is not.",
        "`status`.",
        f"the client is connected, or {_UNKNOWN}",
        "compare with the time that its users report.",
    ),
    Query(in_milliseconds(highest(_select("openvpn_server_client_last_seen_timestamp_seconds")))),
    unit="dateTimeFromNow",
    no_value="-",
    size=EIGHTH,
)

_AVAILABILITY = stat(
    "Availability",
    Description(
        "Share of the time range in which this expected client was connected. Time in which its "
        "server was down counts as not connected.",
        "`status`, for the names in `expected_clients` of the configuration.",
        "the client is not in `expected_clients`.",
        "*Connected* shows whether it was one long outage or many short ones.",
    ),
    Query(availability.share_of_time(_select, "$__range")),
    unit="percentunit",
    decimals=1,
    colours=thresholds("red", (0.95, "yellow"), (0.99, "green")),
    no_value="not expected",
    size=EIGHTH,
)

_VOLUME_RECEIVED = stat(
    "Received",
    Description(
        "Bytes that the servers received from the client in the time range, all sessions together.",
        "`status`. Bytes after the last poll of a session are not counted.",
        _UNKNOWN,
        "for billing and capacity planning.",
    ),
    Query(increase_in_range(_RECEIVED)),
    unit="bytes",
    no_value="not seen",
    size=EIGHTH,
)

_VOLUME_SENT = stat(
    "Sent",
    Description(
        "Bytes that the servers sent to the client in the time range, all sessions together.",
        "`status`. Bytes after the last poll of a session are not counted.",
        _UNKNOWN,
        "for billing and capacity planning.",
    ),
    Query(increase_in_range(_SENT)),
    unit="bytes",
    no_value="not seen",
    size=EIGHTH,
)

_CONNECTED = state_timeline(
    "Connected",
    Description(
        "When the client was connected, by server. Sessions between two polls are not visible.",
        "`status`.",
        _UNKNOWN,
        "many short sessions: the client cannot stay connected; look at the server's log "
        "events at those times.",
    ),
    Query(
        f"{mappings.CLIENT_MISSING} + ({highest(_EXPECTED_NOW, *DAEMON_LABELS)} == 0) "
        f"or clamp_max({highest(_SESSIONS, *DAEMON_LABELS)}, 2) "
        f"or {highest(_EXPECTED_NOW, *DAEMON_LABELS)}",
        "{{daemon}} @ {{instance}}",
    ),
    mappings=mappings.CLIENT_SESSIONS,
    no_value="Not seen in this time range",
    size=Size(24, 5),
)

_TRAFFIC = time_series(
    "Traffic",
    Description(
        "Received from the client above the axis, sent to it below. Keepalives are included, "
        "so the rate is never quite zero.",
        "`status`.",
        _UNKNOWN,
        "only a few bytes while the client should be working: check the routes behind it.",
    ),
    [
        Query(bits_per_second(_RECEIVED, "daemon"), "{{daemon}} received"),
        Query(bits_per_second(_SENT, "daemon"), "{{daemon}} sent", mirrored=True),
    ],
    unit="bps",
    no_value="Not seen in this time range",
)

_AGE = time_series(
    "Session age",
    Description(
        "Age of the client's oldest session. Each drop to zero is a new session.",
        "`status`.",
        "the client was not connected in the time range.",
        "drops at equal intervals: something ends the session regularly, such as `reneg-sec` "
        "with a one-time password, or a router's timeout.",
    ),
    [Query(age(highest(_SINCE, *DAEMON_LABELS)), "{{daemon}} @ {{instance}}")],
    unit="s",
    no_value="Not connected in this time range",
)

_CURRENT_SESSIONS = table(
    "Current sessions",
    Description(
        "The client's current sessions, with addresses and peer info.",
        "`status`, real-time messages `>CLIENT:ESTABLISHED`.",
        "the client is not connected, or addresses are disabled (`clients.info: false`).",
        "an address that changes often: a mobile network, or a shared certificate.",
    ),
    [
        Text("Server", "daemon", links=(TO_SERVER,)),
        *SESSION_COLUMNS,
        Text("Exporter", "instance", hidden=True),
        Text("Job", "job", hidden=True),
        Value("Session", _select("openvpn_server_client_info"), shown=False),
    ],
    no_value="No addresses, or not connected",
    sort="Server",
    size=Size(24, 5),
)

DASHBOARD = build_dashboard(
    "openvpn-client",
    "OpenVPN / Client",
    "One client by its name: a site, a person or a pseudonym. Needs `clients.series`, which is "
    "enabled by default.",
    variables=clients(),
    rows=[
        Row(
            "Overview",
            [
                _CONNECTION,
                _CONNECTED_TO,
                _CONNECTED_FOR,
                _LAST_SEEN,
                _AVAILABILITY,
                _VOLUME_RECEIVED,
                _VOLUME_SENT,
            ],
        ),
        Row("Current sessions", [_CURRENT_SESSIONS]),
        Row("Over time", [_CONNECTED, _TRAFFIC, _AGE]),
        Row("Usage", [usage.by_day(_select)], collapsed=True),
    ],
)
