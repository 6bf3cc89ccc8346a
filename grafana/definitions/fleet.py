"""The dashboard of all daemons, with links to the dashboard of each."""

from grafana import mappings
from grafana.kinds import BOARD, last_info
from grafana.layout import Row, build_dashboard
from grafana.links import TO_DAEMON, TO_EXPORTER
from grafana.panels.bar_gauge import bar_gauge
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import EIGHTH, stat
from grafana.panels.table import Text, Value, table
from grafana.panels.text import text
from grafana.panels.time_series import time_series
from grafana.queries import (
    DAEMON_LABELS,
    DAEMONS_MATCHERS,
    Selector,
    age,
    bits_per_second,
    count,
    count_where,
    highest,
    increase_in_range,
    number_of,
    smaller,
    top_by_maximum,
    top_in_range,
    total,
)
from grafana.shared_panels import (
    alerts,
    availability,
    certificates,
    client_certificates,
    daemon_state,
    events,
    expected_clients,
    port_probes,
    traffic,
    trouble,
)
from grafana.variables import daemons_and_links

_select = Selector(DAEMONS_MATCHERS)
_RECEIVED = _select("openvpn_received_bytes_total")
_SENT = _select("openvpn_sent_bytes_total")
_LIMIT = smaller(_select("openvpn_server_address_pool_size"), _select("openvpn_server_max_clients"))
_ZERO_IS_GREEN = thresholds("green", (0.5, "red"))

_MONITORED = stat(
    "Monitored daemons",
    Description(
        "OpenVPN daemons that the exporters monitor.",
        "`openvpn_up`.",
        "this Prometheus scrapes no exporter: open the last row.",
        "compare with the daemons that you run.",
    ),
    Query(count(_select("openvpn_up"))),
    unit="short",
    no_value="none, see below",
)

_DOWN = stat(
    "Daemons down",
    Description(
        "Daemons whose last poll failed.",
        "`openvpn_up`.",
        "no daemon is monitored.",
        "the table below shows the reason under *Session*.",
    ),
    Query(count_where(_select("openvpn_up"), "== 0")),
    unit="short",
    mappings=mappings.NONE,
    colours=_ZERO_IS_GREEN,
    no_value="none monitored",
)

_NOT_CONNECTED = stat(
    "Up, not connected",
    Description(
        "Daemons that are up, but in another state than CONNECTED. Daemons with state UNKNOWN "
        "do not count: only their status file is read.",
        "`state` and real-time messages `>STATE`.",
        "no daemon is up.",
        "a tunnel that stays in another state cannot reach its peer: see *States*.",
    ),
    Query(
        count_where(
            total(_select("openvpn_state", 'state=~"CONNECTED|UNKNOWN"'), *DAEMON_LABELS), "== 0"
        )
    ),
    unit="short",
    mappings=mappings.NONE,
    colours=_ZERO_IS_GREEN,
    no_value="none up",
)

_CLIENTS = stat(
    "Connected clients",
    Description(
        "Connected clients of all servers. Zero is no fault, for example at night.",
        "`status`: rows with a virtual address.",
        "no server is up.",
        "compare with the same hour of other days.",
    ),
    Query(total(_select("openvpn_server_connected_clients"))),
    unit="short",
    no_value="no server up",
)

_THROUGHPUT = stat(
    "Throughput",
    Description(
        f"Both directions of all daemons together: {traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped, or the first scrape was a moment ago.",
        "see *Traffic by daemon*.",
    ),
    Query(f"{bits_per_second(_RECEIVED)} + {bits_per_second(_SENT)}"),
    unit="bps",
    no_value="no data",
)

_DAEMONS = table(
    "Daemons",
    Description(
        "All monitored daemons; the worst state is on top. Click a name to open its dashboard. A "
        "daemon that is down has the mode and the dashboard of its last state in the time range.",
        "`state`, `status`, `load-stats`, `version`, `pid`.",
        "this Prometheus scrapes no exporter: open the last row.",
        "DOWN: *Session* has the reason.",
    ),
    [
        Text("Daemon", "daemon", links=(TO_DAEMON, TO_EXPORTER), width=170),
        Text("Dashboard", BOARD, hidden=True),
        Text("Exporter", "instance"),
        Text("Job", "job", hidden=True),
        Text("Mode", "mode", width=75),
        Value(
            "State",
            mappings.state_value(_select),
            mappings=(mappings.DOWN, *mappings.STATES),
            width=130,
        ),
        Value("Session", mappings.reason_value(_select), mappings=mappings.REASONS, width=105),
        Value(
            "Clients",
            highest(_select("openvpn_server_connected_clients"), *DAEMON_LABELS),
            width=75,
        ),
        Value(
            "Limit usage",
            highest(
                f"{_select('openvpn_server_connected_clients')} / ({_LIMIT})",
                *DAEMON_LABELS,
            ),
            unit="percentunit",
            colours=thresholds("green", (0.7, "yellow"), (0.9, "red")),
            decimals=0,
            gauge=True,
            width=140,
        ),
        Value(
            "Received",
            bits_per_second(_RECEIVED, *DAEMON_LABELS),
            unit="bps",
            width=95,
        ),
        Value(
            "Sent",
            bits_per_second(_SENT, *DAEMON_LABELS),
            unit="bps",
            width=95,
        ),
        Value(
            "Reconnects",
            increase_in_range(_select("openvpn_reconnects_total"), *DAEMON_LABELS),
            decimals=0,
            width=100,
        ),
        Value(
            "Uptime",
            age(highest(_select("openvpn_start_time_seconds"), *DAEMON_LABELS)),
            unit="s",
            width=100,
        ),
        Text("Version", "version", width=85),
        # Not shown: it provides labels, its value is always 1.
        Value("Info", last_info(_select), shown=False),
    ],
    no_value="No daemon is monitored: open the last row",
    sort="State",
    size=Size(24, 10),
)

_TOP = 10
"""The number of daemons in a graph."""

_TRAFFIC = time_series(
    "Traffic by daemon",
    Description(
        "The ten daemons that received or sent most in the time range. Received above the axis, "
        f"sent below: {traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped, or the first scrape was a moment ago. A line ends where its "
        "daemon goes down.",
        "open the daemon that differs from the others.",
    ),
    [
        Query(
            top_in_range(
                _TOP, bits_per_second(_RECEIVED, *DAEMON_LABELS), _RECEIVED, *DAEMON_LABELS
            ),
            f"{daemon_state.LEGEND} received",
        ),
        Query(
            top_in_range(_TOP, bits_per_second(_SENT, *DAEMON_LABELS), _SENT, *DAEMON_LABELS),
            f"{daemon_state.LEGEND} sent",
            mirrored=True,
        ),
    ],
    unit="bps",
    no_value="No data yet",
    size=Size(12, 9),
)

_SERVER_CLIENTS = _select("openvpn_server_connected_clients")

_CLIENTS_BY_SERVER = time_series(
    "Clients by server",
    Description(
        "Connected clients of the ten servers with most of them, stacked. Pending clients are not "
        "included.",
        "`status`: rows with a virtual address.",
        "no server is up.",
        "a drop on one server: look at that server. A drop on all servers: look at the network.",
    ),
    [
        Query(
            top_by_maximum(_TOP, total(_SERVER_CLIENTS, *DAEMON_LABELS), _SERVER_CLIENTS),
            daemon_state.LEGEND,
        )
    ],
    unit="short",
    no_value="No server is up",
    stacked=True,
    size=Size(12, 9),
)

_VOLUME = bar_gauge(
    "Traffic volume by daemon",
    Description(
        "The ten daemons with the most traffic in the time range, received and sent together: "
        f"{traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped.",
        "for capacity planning.",
    ),
    [
        Query(
            f"sort_desc(topk({_TOP}, {increase_in_range(_RECEIVED, *DAEMON_LABELS)} + "
            f"{increase_in_range(_SENT, *DAEMON_LABELS)}) > 0)",
            daemon_state.LEGEND,
        )
    ],
    unit="bytes",
    no_value="No data yet",
    size=Size(12, 8),
)

_VERSIONS = bar_gauge(
    "OpenVPN versions",
    Description(
        "Number of daemons by version and mode.",
        "`version`.",
        "no daemon is up.",
        "find the daemons that an upgrade missed.",
    ),
    [
        Query(
            f"sort_desc({count(_select('openvpn_info'), 'version', 'mode')})",
            "{{version}} {{mode}}",
        )
    ],
    unit="short",
    no_value="No daemon is up",
    size=Size(12, 8),
)

_CONNECTS = _select("openvpn_server_client_connects_total")
_DISCONNECTS = _select("openvpn_server_client_disconnects_total")

_CHURN = time_series(
    "Client connects and disconnects",
    Description(
        "Client sessions that started (above the axis) and ended (below), at the ten servers with "
        "most of them; each bar is their number in its time.",
        "`status`, and the log for sessions too short for a poll (`verb 3`).",
        "no client connected or disconnected in the time range.",
        "both high for long: clients cannot stay connected. A low, then a peak: something "
        "restarted.",
    ),
    [
        Query(
            top_in_range(_TOP, number_of(_CONNECTS, *DAEMON_LABELS), _CONNECTS, *DAEMON_LABELS),
            f"{daemon_state.LEGEND} connects",
        ),
        Query(
            top_in_range(
                _TOP, number_of(_DISCONNECTS, *DAEMON_LABELS), _DISCONNECTS, *DAEMON_LABELS
            ),
            f"{daemon_state.LEGEND} disconnects",
            mirrored=True,
        ),
    ],
    unit="short",
    no_value="None in this time range",
    bars=True,
    stacked=True,
    size=Size(12, 9),
)

_HELP = text(
    "Troubleshooting",
    "What to check when panels are empty.",
    """\
1. **Is the exporter running?** `openvpn-exporter demo` serves a simulated fleet to compare with.
2. **Does this Prometheus scrape it?** Query `up{job="openvpn"}` in Explore, with the name of your
   job.
3. **Are the variables above right?** Select *All* in each of them, and check the data source.
4. **Do graphs have gaps, or are they empty when zoomed in?** Set *Scrape interval* in the settings
   of the data source to the scrape interval of the job: rates need four scrapes.
5. **Is one panel empty?** The *i* in its corner describes its source and when it has no data:
   client names can be disabled, log events need `verb 3`, expected clients and `max_clients` must
   be configured.
""",
    size=Size(24, 7),
)

DASHBOARD = build_dashboard(
    "openvpn-fleet",
    "OpenVPN / Fleet",
    "All OpenVPN daemons that the exporters monitor: which are down, their clients and traffic. "
    "Click a daemon in the table for details.",
    variables=daemons_and_links(),
    rows=[
        Row(
            "Overview",
            [
                _MONITORED,
                _DOWN,
                _NOT_CONNECTED,
                expected_clients.missing_count(_select),
                _CLIENTS,
                _THROUGHPUT,
                availability.of_daemons(_select),
                availability.of_expected_clients(_select),
                certificates.soonest_expiry(_select),
                events.refused_logins(_select),
                events.fatal_errors(_select, size=EIGHTH),
                daemon_state.reconnects(_select, size=EIGHTH),
            ],
        ),
        Row(
            "Trouble",
            [alerts.firing_alerts(_select, size=Size(15, 8)), trouble.table_of_daemons(_select)],
        ),
        Row("Daemons", [_DAEMONS, trouble.states(_select)]),
        Row("Traffic and clients", [_TRAFFIC, _CLIENTS_BY_SERVER, _VOLUME, _VERSIONS]),
        Row(
            "Events",
            [
                _CHURN,
                events.authentication_failures(_select, size=Size(12, 9)),
                events.reconnects(_select, size=Size(12, 8)),
                expected_clients.missing_table(_select),
                expected_clients.on_no_server_table(),
            ],
        ),
        Row("Certificates", [certificates.lifetimes(_select), certificates.problems(_select)]),
        Row(
            "Client certificates",
            [client_certificates.lists(_select), client_certificates.invalid_clients(_select)],
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
        Row("Troubleshooting", [_HELP], collapsed=True),
    ],
)
