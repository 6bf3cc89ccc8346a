"""The fleet: all daemons at a glance, and the way to each of them."""

from grafana import mappings
from grafana.layout import Row, build_dashboard
from grafana.links import TO_EXPORTER, TO_SERVER, TO_TUNNEL
from grafana.panels.bar_gauge import bar_gauge
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.panels.text import text
from grafana.panels.time_series import time_series
from grafana.queries import (
    DAEMON_LABELS,
    DAEMONS_MATCHERS,
    EXPORTER_MATCHERS,
    Selector,
    age,
    bits_per_second,
    count,
    count_where,
    highest,
    increase_in_range,
    nonzero_in_range,
    per_minute,
    total,
)
from grafana.shared_panels import certificates, daemon_state, events, expected_clients, traffic
from grafana.variables import daemons

_select = Selector(DAEMONS_MATCHERS)
_RECEIVED = _select("openvpn_received_bytes_total")
_SENT = _select("openvpn_sent_bytes_total")
_NONE_IS_GOOD = thresholds("green", (0.5, "red"))

_WATCHED = stat(
    "Daemons watched",
    Description(
        "OpenVPN daemons in the configuration of the exporters.",
        "`openvpn_up`.",
        "no exporter is scraped by this Prometheus: open the last row.",
        "compare with what you run.",
    ),
    Query(count(_select("openvpn_up"))),
    unit="short",
    no_value="none, see below",
)

_DOWN = stat(
    "Daemons down",
    Description(
        "Daemons whose last poll failed.",
        "every poll; `openvpn_up`.",
        "no daemon is watched.",
        "the table below says why, under *Session*.",
    ),
    Query(count_where(_select("openvpn_up"), "== 0")),
    unit="short",
    mappings=mappings.NONE,
    colours=_NONE_IS_GOOD,
    no_value="none watched",
)

_NOT_CONNECTED = stat(
    "Up, not connected",
    Description(
        "Daemons that can be asked, but are in another state than CONNECTED. Those whose state is "
        "UNKNOWN, since only their status file is read, don't count.",
        "`state` and real-time messages `>STATE`.",
        "no daemon is up.",
        "a tunnel that stays so has no way to its peer: see the states below.",
    ),
    Query(
        count_where(
            total(_select("openvpn_state", 'state=~"CONNECTED|UNKNOWN"'), *DAEMON_LABELS), "== 0"
        )
    ),
    unit="short",
    mappings=mappings.NONE,
    colours=_NONE_IS_GOOD,
    no_value="none up",
)

_CLIENTS = stat(
    "Clients connected",
    Description(
        "Connected clients of all servers. None is no fault: it may be night.",
        "`status`: rows with a virtual address.",
        "no server is up.",
        "compare its course with the same hour of other days.",
    ),
    Query(total(_select("openvpn_server_connected_clients"))),
    unit="short",
    no_value="no server",
)

_THROUGHPUT = stat(
    "Throughput",
    Description(
        f"Both directions of all daemons together; {traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped, or only since a moment ago.",
        "see the traffic by daemon.",
    ),
    Query(f"{bits_per_second(_RECEIVED)} + {bits_per_second(_SENT)}"),
    unit="bps",
    no_value="not measured",
)

_DAEMONS = table(
    "Daemons",
    Description(
        "Every watched daemon, the worst on top. Click a name to see it as what it is: a server "
        "or a tunnel.",
        "`state`, `status`, `load-stats`, `version`, `pid`.",
        "no exporter is scraped by this Prometheus: open the last row.",
        "DOWN: the reason stands beside it, under *Session*.",
    ),
    [
        Text("Daemon", "daemon", links=(TO_SERVER, TO_TUNNEL, TO_EXPORTER), width=170),
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
            "Limit used",
            highest(
                f"{_select('openvpn_server_connected_clients')} / "
                f"({_select('openvpn_server_max_clients')} > 0)",
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
            "Running for",
            age(highest(_select("openvpn_start_time_seconds"), *DAEMON_LABELS)),
            unit="s",
            width=100,
        ),
        Text("Version", "version", width=85),
        # Only for its labels: nobody needs to read its 1.
        Value(
            "Info", highest(_select("openvpn_info"), *DAEMON_LABELS, "mode", "version"), shown=False
        ),
    ],
    no_value="No daemon is watched: open the last row",
    sort="State",
    size=Size(24, 8),
)

_TRAFFIC = time_series(
    "Traffic by daemon",
    Description(
        f"Received above the axis, sent below: {traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped, or only since a moment ago.",
        "open the daemon that stands out.",
    ),
    [
        Query(
            bits_per_second(_RECEIVED, *DAEMON_LABELS),
            f"{daemon_state.LEGEND} received",
        ),
        Query(
            bits_per_second(_SENT, *DAEMON_LABELS),
            f"{daemon_state.LEGEND} sent",
            mirrored=True,
        ),
    ],
    unit="bps",
    no_value="Nothing measured yet",
    size=Size(12, 9),
)

_CLIENTS_BY_DAEMON = time_series(
    "Clients by server",
    Description(
        "Connected clients, stacked. Those still handshaking are counted apart.",
        "`status`: rows with a virtual address.",
        "no server is up.",
        "a cliff on one server is its trouble; on all of them, the network's.",
    ),
    [
        Query(
            total(_select("openvpn_server_connected_clients"), *DAEMON_LABELS), daemon_state.LEGEND
        )
    ],
    unit="short",
    no_value="No server is up",
    stacked=True,
    size=Size(12, 9),
)

_VOLUME = bar_gauge(
    "Volume in range by daemon",
    Description(
        f"Received and sent together over the time range: {traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped.",
        "for plans of capacity.",
    ),
    [
        Query(
            f"sort_desc({increase_in_range(_RECEIVED, *DAEMON_LABELS)} + "
            f"{increase_in_range(_SENT, *DAEMON_LABELS)})",
            daemon_state.LEGEND,
        )
    ],
    unit="bytes",
    no_value="Nothing measured yet",
    size=Size(12, 5),
)

_VERSIONS = bar_gauge(
    "Versions of OpenVPN",
    Description(
        "How many daemons are of which release, and in which mode.",
        "`version`.",
        "no daemon is up.",
        "look for what an upgrade has left behind.",
    ),
    [
        Query(
            f"sort_desc({count(_select('openvpn_info'), 'version', 'mode')})",
            "{{version}} {{mode}}",
        )
    ],
    unit="short",
    no_value="No daemon is up",
    size=Size(12, 5),
)

_CONNECTS = _select("openvpn_server_client_connects_total")
_DISCONNECTS = _select("openvpn_server_client_disconnects_total")

_CHURN = time_series(
    "Clients that come and go",
    Description(
        "Sessions of clients that began, above the axis, and that ended, below, per minute.",
        "`status`, and the log for sessions too short for a poll (`verb 3`).",
        "nobody came or left in the time range.",
        "both high for long: clients that can't stay. A dip, then a peak: something restarted.",
    ),
    [
        Query(
            nonzero_in_range(per_minute(_CONNECTS, *DAEMON_LABELS), _CONNECTS, *DAEMON_LABELS),
            f"{daemon_state.LEGEND} came",
        ),
        Query(
            nonzero_in_range(
                per_minute(_DISCONNECTS, *DAEMON_LABELS), _DISCONNECTS, *DAEMON_LABELS
            ),
            f"{daemon_state.LEGEND} left",
            mirrored=True,
        ),
    ],
    unit="cpm",
    no_value="Nobody came or left",
    bars=True,
    size=Size(12, 9),
)

_ALERTS = table(
    "Firing alerts",
    Description(
        "Alerts of the bundled rules that fire now.",
        "`ALERTS`, which only the Prometheus that evaluates the rules has.",
        "none fires; or the rules are not loaded into this Prometheus.",
        "docs/runbook.md has a section for each.",
    ),
    [
        Text("Alert", "alertname"),
        Text("Severity", "severity"),
        Text("Daemon", "daemon", links=(TO_SERVER, TO_TUNNEL)),
        Text("Client", "common_name"),
        Text("Exporter", "instance"),
        Text("Job", "job", hidden=True),
        Value(
            "Firing",
            Selector(EXPORTER_MATCHERS)("ALERTS", 'alertname=~"OpenVPN.+"', 'alertstate="firing"'),
            shown=False,
        ),
    ],
    no_value="None fires, or no rules here",
    sort="Severity",
    size=Size(12, 6),
)

_HELP = text(
    "Nothing to see?",
    "What to check when panels are empty.",
    """\
1. **Is the exporter there?** `openvpn-exporter demo` serves a fleet of its own to compare with.
2. **Does this Prometheus scrape it?** `up{job="openvpn"}` in Explore, with the name of your job.
3. **Do the variables above fit?** Choose *All* in each; another data source may be selected.
4. **Graphs with gaps, or blank when zoomed in?** Set *Scrape interval* in the settings of the data
   source to that of the job: rates need four scrapes.
5. **One panel is empty?** The *i* in its corner says where its numbers come from and when there are
   none: names of clients can be switched off, log events need `verb 3`, expected clients and
   `max_clients` must be configured.
""",
    size=Size(24, 7),
)

DASHBOARD = build_dashboard(
    "openvpn-fleet",
    "OpenVPN / Fleet",
    "All OpenVPN daemons that the exporters watch: what is down, who is connected, what moves. "
    "Click a daemon in the table to look closer.",
    variables=daemons(several=True),
    rows=[
        Row(
            "At a glance",
            [
                _WATCHED,
                _DOWN,
                _NOT_CONNECTED,
                expected_clients.missing(_select),
                _CLIENTS,
                _THROUGHPUT,
            ],
        ),
        Row("Daemons", [_DAEMONS, daemon_state.states(_select)]),
        Row("Traffic and clients", [_TRAFFIC, _CLIENTS_BY_DAEMON, _VOLUME, _VERSIONS]),
        Row(
            "Trouble",
            [
                _CHURN,
                events.refusals(_select, size=Size(12, 9)),
                events.reconnects(_select, size=Size(12, 6)),
                _ALERTS,
                expected_clients.missing_by_name(_select),
            ],
        ),
        Row("Certificates", [certificates.lifetimes(_select), certificates.problems(_select)]),
        Row("Nothing to see?", [_HELP], collapsed=True),
    ],
)
