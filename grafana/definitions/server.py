"""The dashboard of one server: its state, load, clients and events."""

from grafana import mappings
from grafana.kinds import SERVER
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
    number_of,
    smaller,
    total,
)
from grafana.shared_panels import (
    certificates,
    client_certificates,
    client_tables,
    daemon_state,
    events,
    expected_clients,
    idle_clients,
    port_probes,
    traffic,
)
from grafana.variables import daemons_of

_select = Selector(DAEMON_MATCHERS)
_THIRD = Size(8, 8)

_CONNECTED = stat(
    "Connected clients",
    Description(
        "Connected clients. Zero is no fault, for example at night.",
        "`status`: rows with a virtual address.",
        "the server is down.",
        "the table *Connected clients* lists them.",
    ),
    Query(total(_select("openvpn_server_connected_clients"))),
    unit="short",
    no_value="not known",
)

_LIMIT = smaller(
    total(_select("openvpn_server_address_pool_size")), total(_select("openvpn_server_max_clients"))
)
"""The limit of clients: either one, where the other is not known."""

_LIMIT_USED = stat(
    "Limit usage",
    Description(
        "Connected clients as a share of the limit: `max-clients`, or the address pool if that is "
        "smaller. At 100 % OpenVPN rejects the next client.",
        "`status`; `max_clients` and `address_pool_size` of the exporter's configuration.",
        "neither is configured for this daemon or discovered, or the server is down.",
        "raise `max-clients`, enlarge the pool, or find clients with more sessions than expected.",
    ),
    Query(f"{total(_select('openvpn_server_connected_clients'))} / ({_LIMIT})"),
    unit="percentunit",
    decimals=0,
    colours=thresholds("green", (0.7, "yellow"), (0.9, "red")),
    no_value="not known",
)

_OFFLOAD = stat(
    "Data channel offload",
    Description(
        "Whether the kernel processes the data packets (DCO).",
        "`status` (2.6 and later).",
        "the server is down, or older than 2.6.",
        "off although you expected it: an option that DCO does not support, or no kernel module.",
    ),
    Query(highest(_select("openvpn_server_dco_enabled"))),
    unit="none",
    mappings=mappings.ON_OFF,
    no_value="not known",
    size=Size(4, 4),
)

_VERBOSITY = stat(
    "Log verbosity",
    Description(
        "The daemon's `verb`. Most log events need 3, some need 4. Above 7 the exporter does "
        "not read the log.",
        "`verb`.",
        "the daemon is down.",
        "set `verb 3` in the daemon's configuration if log events are missing.",
    ),
    Query(highest(_select("openvpn_log_verbosity"))),
    unit="none",
    no_value="not known",
    size=Size(4, 4),
)

_CLIENTS = time_series(
    "Clients",
    Description(
        "Connected clients, pending clients (handshakes, logins, port scans) and the limit.",
        "`status`; the limit is `max_clients` or `address_pool_size` of the exporter's "
        "configuration, whichever is smaller.",
        "the server is down.",
        "many pending and few connected clients: logins that hang, or a scan.",
    ),
    [
        Query(total(_select("openvpn_server_connected_clients")), "connected"),
        Query(total(_select("openvpn_server_pending_clients")), "pending"),
        Query(_LIMIT, "limit"),
    ],
    unit="short",
    no_value="The server is down",
    limit="limit",
)

_CHURN = time_series(
    "Client connects and disconnects",
    Description(
        "Client sessions that started (above the axis) and ended (below); each bar is their number "
        "in its time.",
        "`status`, and the log for sessions too short for a poll (`verb 3`).",
        "the server is not monitored.",
        "both high for long: clients cannot stay connected.",
    ),
    [
        Query(number_of(_select("openvpn_server_client_connects_total")), "connects"),
        Query(
            number_of(_select("openvpn_server_client_disconnects_total")),
            "disconnects",
            mirrored=True,
        ),
    ],
    unit="short",
    no_value="The server is down",
    bars=True,
    size=_THIRD,
)


def _duration(quantile: float) -> str:
    buckets = increase_in_range(
        _select("openvpn_server_client_session_duration_seconds_bucket"), "le"
    )
    return f"histogram_quantile({quantile}, {buckets})"


_DURATIONS = bar_gauge(
    "Session duration",
    Description(
        "Percentiles of the duration of sessions that ended in the time range, estimated from "
        "the histogram's buckets.",
        "`status`: observed when a session ends.",
        "no session ended in the time range.",
        "minutes where you expect hours: clients are disconnected by the server or have an "
        "unstable network.",
    ),
    [
        Query(_duration(0.1), "10th percentile"),
        Query(_duration(0.5), "median"),
        Query(_duration(0.9), "90th percentile"),
    ],
    unit="s",
    no_value="No session ended",
    size=_THIRD,
)

_TABLES = time_series(
    "Routes and broadcast queue",
    Description(
        "Rows of the routing table, and the maximum length of the broadcast and multicast "
        "queue since the daemon's last restart.",
        "`status`.",
        "the server is down.",
        "the number of routes normally follows the number of clients. A queue near 256 drops "
        "packets (`bcast-buffers`).",
    ),
    [
        Query(total(_select("openvpn_server_routes")), "routes"),
        Query(highest(_select("openvpn_server_max_bcast_mcast_queue_length")), "queue, maximum"),
    ],
    unit="short",
    no_value="The server is down",
    size=_THIRD,
)

_PLATFORMS = bar_gauge(
    "Client platforms",
    Description(
        "Connected clients by platform (`IV_PLAT`).",
        "real-time messages `>CLIENT:ESTABLISHED`, or `peer info` in the log.",
        "no client is connected, or the server is down.",
        "`unknown`: clients that connected before the exporter, or send no peer info.",
    ),
    [
        Query(
            f"sort_desc({total(_select('openvpn_server_clients_by_platform'), 'platform')})",
            "{{platform}}",
        )
    ],
    unit="short",
    no_value="No client, or the server is down",
)

_CLIENT_VERSIONS = bar_gauge(
    "Client versions",
    Description(
        "Connected clients by version of OpenVPN (`IV_VER`).",
        "real-time messages `>CLIENT:ESTABLISHED`, or `peer info` in the log.",
        "no client is connected, or the server is down.",
        "find the clients to upgrade before an old cipher is disabled.",
    ),
    [
        Query(
            f"sort_desc({total(_select('openvpn_server_clients_by_platform'), 'client_version')})",
            "{{client_version}}",
        )
    ],
    unit="short",
    no_value="No client, or the server is down",
)

_CIPHERS = bar_gauge(
    "Ciphers",
    Description(
        "Connected clients by cipher of the data channel.",
        "`status` (2.5 and later).",
        "no client is connected, or the server is down.",
        "BF-CBC and other 64-bit block ciphers are insecure.",
    ),
    [
        Query(
            f"sort_desc({total(_select('openvpn_server_clients_by_cipher'), 'cipher')})",
            "{{cipher}}",
        )
    ],
    unit="short",
    no_value="No client, or the server is down",
)

DASHBOARD = build_dashboard(
    "openvpn-server",
    "OpenVPN / Server",
    "One OpenVPN server: its state, clients, load and events. All panels but the tables of clients "
    "work without their names.",
    variables=daemons_of(SERVER),
    rows=[
        Row(
            "Status",
            [
                daemon_state.current_state(_select),
                daemon_state.management_session(_select),
                _CONNECTED,
                _LIMIT_USED,
                expected_clients.missing_count(_select),
                events.refused_logins(_select),
                certificates.soonest_expiry(_select),
                daemon_state.status_age(_select),
                daemon_state.uptime(_select),
                daemon_state.version(_select),
                daemon_state.restarts(_select),
                events.fatal_errors(_select),
            ],
        ),
        Row("Connected clients", [client_tables.connected(_select)]),
        Row("Load", [traffic.link(_select), _CLIENTS, _CHURN, _DURATIONS, _TABLES]),
        Row("Client software", [_PLATFORMS, _CLIENT_VERSIONS, _CIPHERS]),
        Row("Idle and shared clients", [idle_clients.counts(_select)], collapsed=True),
        Row(
            "States and log",
            [
                daemon_state.states(_select, size=Size(16, 4)),
                _OFFLOAD,
                _VERBOSITY,
                events.log_events(_select),
                events.log_messages(_select),
            ],
        ),
        Row(
            "Expected clients",
            [
                expected_clients.connected_over_time(_select),
                expected_clients.missing_table(_select, size=Size(9, 9)),
            ],
            collapsed=True,
        ),
        Row(
            "Sessions",
            [client_tables.sessions(_select), client_tables.disconnected(_select)],
            collapsed=True,
        ),
        Row(
            "Top clients",
            [client_tables.top_by_volume(_select), client_tables.top_by_traffic(_select)],
            collapsed=True,
        ),
        Row("Routes", [client_tables.routes(_select)], collapsed=True),
        Row(
            "Certificates",
            [certificates.lifetimes(_select), certificates.problems(_select)],
            collapsed=True,
        ),
        Row(
            "Client certificates",
            [
                client_certificates.lists(_select),
                client_certificates.invalid_clients(_select),
                client_certificates.clients_by_state(_select),
                client_certificates.expiries(_select),
            ],
            collapsed=True,
        ),
        Row(
            "Port probes",
            [
                port_probes.ports(_select),
                port_probes.failed_probes(_select),
                port_probes.skipped_probes(_select),
            ],
            collapsed=True,
        ),
    ],
)
