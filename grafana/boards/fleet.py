"""The fleet: all daemons at a glance, and the way to each of them."""

from grafana import words
from grafana.board import Row, board
from grafana.links import TO_EXPORTER, TO_SERVER, TO_TUNNEL
from grafana.panels.bars import bars
from grafana.panels.graph import graph
from grafana.panels.panel import About, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.panels.text import text
from grafana.parts import certificates, sites, states, traffic, troubles
from grafana.queries import (
    DAEMONS,
    EXPORTER,
    KEY,
    Scope,
    age,
    bits_per_second,
    count,
    highest,
    how_many,
    in_range,
    of_those_seen,
    per_minute,
    total,
)
from grafana.variables import daemons

_ALL = Scope(DAEMONS)
_NONE_IS_GOOD = thresholds("green", (0.5, "red"))

_WATCHED = stat(
    "Daemons watched",
    About(
        "OpenVPN daemons in the configuration of the exporters.",
        "`openvpn_up`.",
        "no exporter is scraped by this Prometheus: open the last row.",
        "compare with what you run.",
    ),
    Query(count(_ALL("openvpn_up"))),
    unit="short",
    no_value="none, see below",
)

_DOWN = stat(
    "Daemons down",
    About(
        "Daemons whose last poll failed.",
        "every poll; `openvpn_up`.",
        "no daemon is watched.",
        "the table below says why, under *Session*.",
    ),
    Query(how_many(_ALL("openvpn_up"), "== 0")),
    unit="short",
    words=words.NONE_OF_THEM,
    colours=_NONE_IS_GOOD,
    no_value="none watched",
)

_NOT_CONNECTED = stat(
    "Up, not connected",
    About(
        "Daemons that can be asked, but are in another state than CONNECTED. Those whose state is "
        "UNKNOWN, since only their status file is read, don't count.",
        "`state` and real-time messages `>STATE`.",
        "no daemon is up.",
        "a tunnel that stays so has no way to its peer: see the states below.",
    ),
    Query(how_many(total(_ALL("openvpn_state", 'state=~"CONNECTED|UNKNOWN"'), *KEY), "== 0")),
    unit="short",
    words=words.NONE_OF_THEM,
    colours=_NONE_IS_GOOD,
    no_value="none up",
)

_CLIENTS = stat(
    "Clients connected",
    About(
        "Connected clients of all servers. None is no fault: it may be night.",
        "`status`: rows with a virtual address.",
        "no server is up.",
        "compare its course with the same hour of other days.",
    ),
    Query(total(_ALL("openvpn_server_connected_clients"))),
    unit="short",
    no_value="no server",
)

_THROUGHPUT = stat(
    "Throughput",
    About(
        f"Both directions of all daemons together; {traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped, or only since a moment ago.",
        "see the traffic by daemon.",
    ),
    Query(
        f"{bits_per_second(_ALL('openvpn_received_bytes_total'))} + "
        f"{bits_per_second(_ALL('openvpn_sent_bytes_total'))}"
    ),
    unit="bps",
    no_value="not measured",
)

_DAEMONS = table(
    "Daemons",
    About(
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
        Value("State", words.state(_ALL), words=(words.DOWN, *words.STATES), width=130),
        Value("Session", words.reason(_ALL), words=words.REASONS, width=105),
        Value("Clients", highest(_ALL("openvpn_server_connected_clients"), *KEY), width=75),
        Value(
            "Limit used",
            highest(
                f"{_ALL('openvpn_server_connected_clients')} / "
                f"({_ALL('openvpn_server_max_clients')} > 0)",
                *KEY,
            ),
            unit="percentunit",
            colours=thresholds("green", (0.7, "yellow"), (0.9, "red")),
            decimals=0,
            gauge=True,
            width=140,
        ),
        Value(
            "Received",
            bits_per_second(_ALL("openvpn_received_bytes_total"), *KEY),
            unit="bps",
            width=95,
        ),
        Value(
            "Sent", bits_per_second(_ALL("openvpn_sent_bytes_total"), *KEY), unit="bps", width=95
        ),
        Value(
            "Reconnects", in_range(_ALL("openvpn_reconnects_total"), *KEY), decimals=0, width=100
        ),
        Value(
            "Running for",
            age(highest(_ALL("openvpn_start_time_seconds"), *KEY)),
            unit="s",
            width=100,
        ),
        Text("Version", "version", width=85),
        # Only for its labels: nobody needs to read its 1.
        Value("Info", highest(_ALL("openvpn_info"), *KEY, "mode", "version"), shown=False),
    ],
    no_value="No daemon is watched: open the last row",
    sort="State",
    size=Size(24, 8),
)

_TRAFFIC = graph(
    "Traffic by daemon",
    About(
        f"Received above the axis, sent below: {traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped, or only since a moment ago.",
        "open the daemon that stands out.",
    ),
    [
        Query(
            bits_per_second(_ALL("openvpn_received_bytes_total"), *KEY), f"{states.NAMED} received"
        ),
        Query(
            bits_per_second(_ALL("openvpn_sent_bytes_total"), *KEY),
            f"{states.NAMED} sent",
            mirrored=True,
        ),
    ],
    unit="bps",
    no_value="Nothing measured yet",
    size=Size(12, 9),
)

_CLIENTS_BY_DAEMON = graph(
    "Clients by server",
    About(
        "Connected clients, stacked. Those still handshaking are counted apart.",
        "`status`: rows with a virtual address.",
        "no server is up.",
        "a cliff on one server is its trouble; on all of them, the network's.",
    ),
    [Query(total(_ALL("openvpn_server_connected_clients"), *KEY), states.NAMED)],
    unit="short",
    no_value="No server is up",
    stacked=True,
    size=Size(12, 9),
)

_VOLUME = bars(
    "Volume in range by daemon",
    About(
        f"Received and sent together over the time range: {traffic.LINK}",
        "`load-stats`; under data channel offload the sum of all clients in `status`.",
        "no exporter is scraped.",
        "for plans of capacity.",
    ),
    [
        Query(
            f"sort_desc({in_range(_ALL('openvpn_received_bytes_total'), *KEY)} + "
            f"{in_range(_ALL('openvpn_sent_bytes_total'), *KEY)})",
            states.NAMED,
        )
    ],
    unit="bytes",
    no_value="Nothing measured yet",
    size=Size(12, 5),
)

_VERSIONS = bars(
    "Versions of OpenVPN",
    About(
        "How many daemons are of which release, and in which mode.",
        "`version`.",
        "no daemon is up.",
        "look for what an upgrade has left behind.",
    ),
    [Query(f"sort_desc({count(_ALL('openvpn_info'), 'version', 'mode')})", "{{version}} {{mode}}")],
    unit="short",
    no_value="No daemon is up",
    size=Size(12, 5),
)

_CAME = _ALL("openvpn_server_client_connects_total")
_LEFT = _ALL("openvpn_server_client_disconnects_total")

_CHURN = graph(
    "Clients that come and go",
    About(
        "Sessions of clients that began, above the axis, and that ended, below, per minute.",
        "`status`, and the log for sessions too short for a poll (`verb 3`).",
        "nobody came or left in the time range.",
        "both high for long: clients that can't stay. A dip, then a peak: something restarted.",
    ),
    [
        Query(
            of_those_seen(per_minute(_CAME, *KEY), _CAME, *KEY),
            f"{states.NAMED} came",
        ),
        Query(
            of_those_seen(per_minute(_LEFT, *KEY), _LEFT, *KEY),
            f"{states.NAMED} left",
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
    About(
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
            Scope(EXPORTER)("ALERTS", 'alertname=~"OpenVPN.+"', 'alertstate="firing"'),
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

BOARD = board(
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
                sites.missing(_ALL),
                _CLIENTS,
                _THROUGHPUT,
            ],
        ),
        Row("Daemons", [_DAEMONS, states.states(_ALL)]),
        Row("Traffic and clients", [_TRAFFIC, _CLIENTS_BY_DAEMON, _VOLUME, _VERSIONS]),
        Row(
            "Trouble",
            [
                _CHURN,
                troubles.refusals(_ALL, size=Size(12, 9)),
                troubles.reconnects(_ALL, size=Size(12, 6)),
                _ALERTS,
                sites.missing_by_name(_ALL),
            ],
        ),
        Row("Certificates", [certificates.lifetimes(_ALL), certificates.problems(_ALL)]),
        Row("Nothing to see?", [_HELP], collapsed=True),
    ],
)
