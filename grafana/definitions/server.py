"""One server: its load, its clients, its troubles."""

from grafana import mappings
from grafana.layout import Row, build_dashboard
from grafana.panels.bar_gauge import bar_gauge
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.time_series import time_series
from grafana.queries import (
    DAEMON_MATCHERS,
    Selector,
    highest,
    increase_in_range,
    per_minute,
    total,
)
from grafana.shared_panels import client_tables, daemon_state, events, expected_clients, traffic
from grafana.variables import daemons

_select = Selector(DAEMON_MATCHERS)
_THIRD = Size(8, 8)

_CONNECTED = stat(
    "Clients connected",
    Description(
        "Clients that are connected. None is no fault: it may be night.",
        "`status`: rows with a virtual address.",
        "the server is down, or is a tunnel.",
        "the row on clients has their names.",
    ),
    Query(total(_select("openvpn_server_connected_clients"))),
    unit="short",
    no_value="no server",
)

_LIMIT_USED = stat(
    "Limit used",
    Description(
        "Connected clients as a share of `max-clients`. At 100 % the next one is turned away.",
        "`status`, and `max_clients` of our configuration.",
        "`max_clients` is not configured for this daemon, or the server is down.",
        "raise `max-clients`, or find who holds more sessions than expected.",
    ),
    Query(
        f"{total(_select('openvpn_server_connected_clients'))} / "
        f"({total(_select('openvpn_server_max_clients'))} > 0)"
    ),
    unit="percentunit",
    decimals=0,
    colours=thresholds("green", (0.7, "yellow"), (0.9, "red")),
    no_value="limit not known",
)

_OFFLOAD = stat(
    "Data channel offload",
    Description(
        "Whether the kernel moves the packets.",
        "`status` (2.6 and later).",
        "the server is down, or older than 2.6.",
        "off where you expected it: an option that it can't do, or no kernel module.",
    ),
    Query(highest(_select("openvpn_server_dco_enabled"))),
    unit="none",
    mappings=mappings.ON_OFF,
    no_value="not known",
)

_VERBOSITY = stat(
    "Log verbosity",
    Description(
        "The daemon's `verb`. Most log events need 3, some 4; above 7 its log is not read.",
        "`verb`.",
        "the daemon is down.",
        "set `verb 3` in its configuration where log events are missed.",
    ),
    Query(highest(_select("openvpn_log_verbosity"))),
    unit="none",
    no_value="not known",
)

_CLIENTS = time_series(
    "Clients",
    Description(
        "Connected clients, those still on their way in (handshakes, logins, port scans), and the "
        "limit.",
        "`status`; the limit is `max_clients` of our configuration.",
        "the server is down, or is a tunnel.",
        "many pending and few connected: logins that hang, or a scan.",
    ),
    [
        Query(total(_select("openvpn_server_connected_clients")), "connected"),
        Query(total(_select("openvpn_server_pending_clients")), "pending"),
        Query(total(_select("openvpn_server_max_clients")), "limit"),
    ],
    unit="short",
    no_value="No server",
    limit="limit",
)

_CHURN = time_series(
    "Clients that come and go",
    Description(
        "Sessions that began, above the axis, and that ended, below, per minute.",
        "`status`, and the log for sessions too short for a poll (`verb 3`).",
        "this daemon is a tunnel, or isn't watched.",
        "both high for long: clients that can't stay.",
    ),
    [
        Query(per_minute(_select("openvpn_server_client_connects_total")), "came"),
        Query(
            per_minute(_select("openvpn_server_client_disconnects_total")), "left", mirrored=True
        ),
    ],
    unit="cpm",
    no_value="No server",
    bars=True,
    size=_THIRD,
)


def _duration(quantile: float) -> str:
    buckets = increase_in_range(
        _select("openvpn_server_client_session_duration_seconds_bucket"), "le"
    )
    return f"histogram_quantile({quantile}, {buckets})"


_DURATIONS = bar_gauge(
    "How long sessions last",
    Description(
        "Length of the sessions that ended in the time range: a tenth of them were shorter than "
        "the first bar, half than the second, nine tenths than the third. Estimated within the "
        "histogram's steps.",
        "`status`: observed when a session ends.",
        "no session ended in the time range.",
        "minutes where you expect hours: clients that are thrown out or have bad lines.",
    ),
    [
        Query(_duration(0.1), "10 % are under"),
        Query(_duration(0.5), "half are under"),
        Query(_duration(0.9), "90 % are under"),
    ],
    unit="s",
    no_value="No session ended",
    size=_THIRD,
)

_TABLES = time_series(
    "Routes and queue",
    Description(
        "Rows of the routing table, and the highest fill level of the queue for broadcasts and "
        "multicasts since the daemon's last restart.",
        "`status`.",
        "the server is down, or is a tunnel.",
        "routes normally follow clients; a queue near 256 loses packets (`bcast-buffers`).",
    ),
    [
        Query(total(_select("openvpn_server_routes")), "routes"),
        Query(highest(_select("openvpn_server_max_bcast_mcast_queue_length")), "queue, highest"),
    ],
    unit="short",
    no_value="No server",
    size=_THIRD,
)

_PLATFORMS = bar_gauge(
    "Platforms",
    Description(
        "Connected clients by the platform that they announce.",
        "real-time messages `>CLIENT:ESTABLISHED`, or `peer info` in the log.",
        "nobody is connected.",
        "`unknown` were connected before the exporter was, or announce nothing.",
    ),
    [
        Query(
            f"sort_desc({total(_select('openvpn_server_clients_by_platform'), 'platform')})",
            "{{platform}}",
        )
    ],
    unit="short",
    no_value="Nobody is connected",
)

_CLIENT_VERSIONS = bar_gauge(
    "Versions of clients",
    Description(
        "Connected clients by the release of OpenVPN that they announce.",
        "real-time messages `>CLIENT:ESTABLISHED`, or `peer info` in the log.",
        "nobody is connected.",
        "find who must upgrade before an old cipher or a hole is closed.",
    ),
    [
        Query(
            f"sort_desc({total(_select('openvpn_server_clients_by_platform'), 'client_version')})",
            "{{client_version}}",
        )
    ],
    unit="short",
    no_value="Nobody is connected",
)

_CIPHERS = bar_gauge(
    "Ciphers",
    Description(
        "Connected clients by the cipher of their data channel.",
        "`status` (2.5 and later).",
        "nobody is connected.",
        "BF-CBC and its like should not be here any more.",
    ),
    [
        Query(
            f"sort_desc({total(_select('openvpn_server_clients_by_cipher'), 'cipher')})",
            "{{cipher}}",
        )
    ],
    unit="short",
    no_value="Nobody is connected",
)

DASHBOARD = build_dashboard(
    "openvpn-server",
    "OpenVPN / Server",
    "One OpenVPN server: its state, load, clients and troubles. The closed rows have names of "
    "clients; all the others work without.",
    variables=daemons(several=False),
    rows=[
        Row(
            "Now",
            [
                daemon_state.state_now(_select),
                daemon_state.why_down(_select),
                _CONNECTED,
                _LIMIT_USED,
                expected_clients.missing(_select),
                daemon_state.data_age(_select),
                daemon_state.uptime(_select),
                daemon_state.version(_select),
                _OFFLOAD,
                _VERBOSITY,
                daemon_state.restarts(_select),
                events.fatal_errors(_select),
            ],
        ),
        Row("Load", [traffic.link(_select), _CLIENTS, _CHURN, _DURATIONS, _TABLES]),
        Row("What clients are", [_PLATFORMS, _CLIENT_VERSIONS, _CIPHERS]),
        Row(
            "Trouble",
            [
                daemon_state.states(_select, size=Size(24, 4)),
                events.log_events(_select),
                events.log_lines(_select),
            ],
        ),
        Row(
            "Expected clients",
            [expected_clients.presence(_select), expected_clients.missing_by_name(_select)],
            collapsed=True,
        ),
        Row(
            "Clients by name",
            [client_tables.clients(_select), client_tables.sessions(_select)],
            collapsed=True,
        ),
        Row(
            "Who moves most",
            [client_tables.most_volume(_select), client_tables.most_traffic(_select)],
            collapsed=True,
        ),
        Row("Routes", [client_tables.routes(_select)], collapsed=True),
    ],
)
