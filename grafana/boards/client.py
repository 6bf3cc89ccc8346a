"""One client, as the servers see it: when it was there, and what it moved."""

from grafana import words
from grafana.board import Row, board
from grafana.links import TO_SERVER
from grafana.panels.graph import graph
from grafana.panels.panel import About, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.panels.timeline import timeline
from grafana.parts.by_name import SESSION
from grafana.queries import (
    CLIENT,
    KEY,
    Scope,
    age,
    bits_per_second,
    highest,
    in_range,
    milliseconds,
    total,
)
from grafana.variables import clients

_IT = Scope(CLIENT)
_SESSIONS = _IT("openvpn_server_client_sessions")
_SINCE = _IT("openvpn_server_client_connected_timestamp_seconds")
_RECEIVED = _IT("openvpn_server_client_received_bytes_total")
_SENT = _IT("openvpn_server_client_sent_bytes_total")
_EXPECTED = _IT("openvpn_server_expected_client_connected")

_UNKNOWN = (
    "the client has not been seen within `forget_after`; or names are switched off "
    "(`clients.series: false`), which leaves the presence of expected clients."
)

_NOW = stat(
    "Now",
    About(
        "Whether the client is connected to any of the chosen servers.",
        "`status`.",
        _UNKNOWN,
        "below stands when and where it was last.",
    ),
    Query(f"clamp_max({total(_SESSIONS)}, 2) or {highest(_EXPECTED)}"),
    unit="none",
    words=words.PRESENCE,
    no_value="not seen",
)

_CONNECTED_FOR = stat(
    "Connected for",
    About(
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
    About(
        "When a poll last found the client connected.",
        "`status`.",
        _UNKNOWN,
        "compare with when its users noticed.",
    ),
    Query(milliseconds(highest(_IT("openvpn_server_client_last_seen_timestamp_seconds")))),
    unit="dateTimeFromNow",
    no_value="not seen",
)

_AVAILABILITY = stat(
    "Connected in range",
    About(
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
    About(
        "What the servers received from the client in the time range, over all of its sessions.",
        "`status`. The last seconds of a session, after its last poll, are not seen.",
        _UNKNOWN,
        "for bills and plans of capacity.",
    ),
    Query(in_range(_RECEIVED)),
    unit="bytes",
    no_value="not seen",
)

_VOLUME_SENT = stat(
    "Sent in range",
    About(
        "What the servers sent to the client in the time range, over all of its sessions.",
        "`status`. The last seconds of a session, after its last poll, are not seen.",
        _UNKNOWN,
        "for bills and plans of capacity.",
    ),
    Query(in_range(_SENT)),
    unit="bytes",
    no_value="not seen",
)

_PRESENCE = timeline(
    "Presence",
    About(
        "When the client was connected, by server. Sessions between two polls leave no trace.",
        "`status`.",
        _UNKNOWN,
        "many short pieces: the client can't stay; see the server's log events at those times.",
    ),
    Query(
        f"clamp_max({highest(_SESSIONS, *KEY)}, 2) or {highest(_EXPECTED, *KEY)}",
        "{{daemon}} @ {{instance}}",
    ),
    words=words.PRESENCE,
    no_value="Not seen in this time range",
    size=Size(24, 5),
)

_TRAFFIC = graph(
    "Traffic",
    About(
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

_AGE = graph(
    "Age of the session",
    About(
        "For how long the client's oldest session had lasted: each fall to zero is a new one.",
        "`status`.",
        "the client was not connected in the time range.",
        "teeth of equal size: something ends the session regularly, as `reneg-sec` with a one-time "
        "password, or a router's time-out.",
    ),
    [Query(age(highest(_SINCE, *KEY)), "{{daemon}} @ {{instance}}")],
    unit="s",
    no_value="Not connected in this time range",
)

_DETAILS = table(
    "Sessions now",
    About(
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
        Value("Session", _IT("openvpn_server_client_info"), shown=False),
    ],
    no_value="No addresses, or not connected",
    sort="Server",
    size=Size(24, 6),
)

BOARD = board(
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
