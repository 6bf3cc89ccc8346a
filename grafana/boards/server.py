"""One server: its load, its clients, its troubles."""

from grafana import words
from grafana.board import Row, board
from grafana.links import TO_CLIENT
from grafana.panels.bars import bars
from grafana.panels.graph import graph
from grafana.panels.panel import About, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.parts import sites, states, traffic, troubles
from grafana.queries import (
    DAEMON,
    KEY,
    Scope,
    bits_per_second,
    highest,
    in_range,
    milliseconds,
    of_the_top,
    per_minute,
    total,
)
from grafana.variables import daemons

_THIS = Scope(DAEMON)
_CLIENT_KEY = (*KEY, "common_name")
_THIRD = Size(8, 8)
_NAMES_OFF = (
    "nobody is connected; or names are switched off (`clients.series: false`): the rows above need "
    "none."
)

_CONNECTED = stat(
    "Clients connected",
    About(
        "Clients that are connected. None is no fault: it may be night.",
        "`status`: rows with a virtual address.",
        "the server is down, or is a tunnel.",
        "the row on clients has their names.",
    ),
    Query(total(_THIS("openvpn_server_connected_clients"))),
    unit="short",
    no_value="no server",
)

_LIMIT_USED = stat(
    "Limit used",
    About(
        "Connected clients as a share of `max-clients`. At 100 % the next one is turned away.",
        "`status`, and `max_clients` of our configuration.",
        "`max_clients` is not configured for this daemon, or the server is down.",
        "raise `max-clients`, or find who holds more sessions than expected.",
    ),
    Query(
        f"{total(_THIS('openvpn_server_connected_clients'))} / "
        f"({total(_THIS('openvpn_server_max_clients'))} > 0)"
    ),
    unit="percentunit",
    decimals=0,
    colours=thresholds("green", (0.7, "yellow"), (0.9, "red")),
    no_value="limit not known",
)

_OFFLOAD = stat(
    "Data channel offload",
    About(
        "Whether the kernel moves the packets.",
        "`status` (2.6 and later).",
        "the server is down, or older than 2.6.",
        "off where you expected it: an option that it can't do, or no kernel module.",
    ),
    Query(highest(_THIS("openvpn_server_dco_enabled"))),
    unit="none",
    words=words.SWITCHED,
    no_value="not known",
)

_VERBOSITY = stat(
    "Log verbosity",
    About(
        "The daemon's `verb`. Most log events need 3, some 4; above 7 its log is not read.",
        "`verb`.",
        "the daemon is down.",
        "set `verb 3` in its configuration where log events are missed.",
    ),
    Query(highest(_THIS("openvpn_log_verbosity"))),
    unit="none",
    no_value="not known",
)

_CLIENTS = graph(
    "Clients",
    About(
        "Connected clients, those still on their way in (handshakes, logins, port scans), and the "
        "limit.",
        "`status`; the limit is `max_clients` of our configuration.",
        "the server is down, or is a tunnel.",
        "many pending and few connected: logins that hang, or a scan.",
    ),
    [
        Query(total(_THIS("openvpn_server_connected_clients")), "connected"),
        Query(total(_THIS("openvpn_server_pending_clients")), "pending"),
        Query(total(_THIS("openvpn_server_max_clients")), "limit"),
    ],
    unit="short",
    no_value="No server",
    limit="limit",
)

_CHURN = graph(
    "Clients that come and go",
    About(
        "Sessions that began, above the axis, and that ended, below, per minute.",
        "`status`, and the log for sessions too short for a poll (`verb 3`).",
        "this daemon is a tunnel, or isn't watched.",
        "both high for long: clients that can't stay.",
    ),
    [
        Query(per_minute(_THIS("openvpn_server_client_connects_total")), "came"),
        Query(per_minute(_THIS("openvpn_server_client_disconnects_total")), "left", mirrored=True),
    ],
    unit="cpm",
    no_value="No server",
    bars=True,
    size=_THIRD,
)


def _duration(quantile: float) -> str:
    buckets = in_range(_THIS("openvpn_server_client_session_duration_seconds_bucket"), "le")
    return f"histogram_quantile({quantile}, {buckets})"


_DURATIONS = bars(
    "How long sessions last",
    About(
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

_TABLES = graph(
    "Routes and queue",
    About(
        "Rows of the routing table, and the highest fill level of the queue for broadcasts and "
        "multicasts since the daemon's last restart.",
        "`status`.",
        "the server is down, or is a tunnel.",
        "routes normally follow clients; a queue near 256 loses packets (`bcast-buffers`).",
    ),
    [
        Query(total(_THIS("openvpn_server_routes")), "routes"),
        Query(highest(_THIS("openvpn_server_max_bcast_mcast_queue_length")), "queue, highest"),
    ],
    unit="short",
    no_value="No server",
    size=_THIRD,
)

_PLATFORMS = bars(
    "Platforms",
    About(
        "Connected clients by the platform that they announce.",
        "real-time messages `>CLIENT:ESTABLISHED`, or `peer info` in the log.",
        "nobody is connected.",
        "`unknown` were connected before the exporter was, or announce nothing.",
    ),
    [
        Query(
            f"sort_desc({total(_THIS('openvpn_server_clients_by_platform'), 'platform')})",
            "{{platform}}",
        )
    ],
    unit="short",
    no_value="Nobody is connected",
)

_CLIENT_VERSIONS = bars(
    "Versions of clients",
    About(
        "Connected clients by the release of OpenVPN that they announce.",
        "real-time messages `>CLIENT:ESTABLISHED`, or `peer info` in the log.",
        "nobody is connected.",
        "find who must upgrade before an old cipher or a hole is closed.",
    ),
    [
        Query(
            f"sort_desc({total(_THIS('openvpn_server_clients_by_platform'), 'client_version')})",
            "{{client_version}}",
        )
    ],
    unit="short",
    no_value="Nobody is connected",
)

_CIPHERS = bars(
    "Ciphers",
    About(
        "Connected clients by the cipher of their data channel.",
        "`status` (2.5 and later).",
        "nobody is connected.",
        "BF-CBC and its like should not be here any more.",
    ),
    [
        Query(
            f"sort_desc({total(_THIS('openvpn_server_clients_by_cipher'), 'cipher')})", "{{cipher}}"
        )
    ],
    unit="short",
    no_value="Nobody is connected",
)

_NOW = table(
    "Clients",
    About(
        "Clients that are or were connected, with the traffic of all of their sessions. One that "
        "left stays for `forget_after`, with 0 sessions. Click a name to look closer.",
        "`status`.",
        _NAMES_OFF,
        "two sessions of one name: `duplicate-cn`, or a shared certificate.",
    ),
    [
        Text("Client", "common_name", links=(TO_CLIENT,)),
        Text("Server", "daemon", hidden=True),
        Text("Exporter", "instance", hidden=True),
        Text("Job", "job", hidden=True),
        Value("Sessions", highest(_THIS("openvpn_server_client_sessions"), *_CLIENT_KEY)),
        Value(
            "Connected",
            milliseconds(
                highest(_THIS("openvpn_server_client_connected_timestamp_seconds"), *_CLIENT_KEY)
            ),
            unit="dateTimeFromNow",
        ),
        Value(
            "Last seen",
            milliseconds(
                highest(_THIS("openvpn_server_client_last_seen_timestamp_seconds"), *_CLIENT_KEY)
            ),
            unit="dateTimeFromNow",
        ),
        Value(
            "Received",
            bits_per_second(_THIS("openvpn_server_client_received_bytes_total"), *_CLIENT_KEY),
            unit="bps",
        ),
        Value(
            "Sent",
            bits_per_second(_THIS("openvpn_server_client_sent_bytes_total"), *_CLIENT_KEY),
            unit="bps",
        ),
        Value(
            "Volume in range",
            f"{in_range(_THIS('openvpn_server_client_received_bytes_total'), *_CLIENT_KEY)} + "
            f"{in_range(_THIS('openvpn_server_client_sent_bytes_total'), *_CLIENT_KEY)}",
            unit="bytes",
        ),
    ],
    no_value="No names, or nobody",
    sort="Received",
    descending=True,
    size=Size(24, 12),
)

_SESSIONS = table(
    "Sessions",
    About(
        "Every current session with its addresses and what the client announces of itself.",
        "`status`, real-time messages `>CLIENT:ESTABLISHED`.",
        "nobody is connected; or addresses are switched off (`clients.info: false`).",
        "a real address that surprises: ask whose line it is.",
    ),
    [
        Text("Client", "common_name", links=(TO_CLIENT,)),
        Text("User", "username"),
        Text("Client id", "client_id"),
        Text("Comes from", "real_address"),
        Text("Address", "virtual_address"),
        Text("IPv6 address", "virtual_ipv6_address"),
        Text("Cipher", "cipher"),
        Text("Platform", "platform"),
        Text("Version", "client_version"),
        Text("Program", "gui"),
        Text("Server", "daemon", hidden=True),
        Text("Exporter", "instance", hidden=True),
        Text("Job", "job", hidden=True),
        Value("Session", _THIS("openvpn_server_client_info"), shown=False),
    ],
    no_value="No addresses, or nobody",
    sort="Client",
    size=Size(24, 12),
)

_RECEIVED = _THIS("openvpn_server_client_received_bytes_total")
_SENT = _THIS("openvpn_server_client_sent_bytes_total")

_TOP = bars(
    "Most volume in range",
    About(
        "The ten clients that moved most in the time range, both directions together.",
        "`status`. What moves between the last poll of a session and its end is not seen.",
        _NAMES_OFF,
        "click through from the table of clients to see one over time.",
    ),
    [
        Query(
            f"sort_desc(topk(10, {in_range(_RECEIVED, 'common_name')} + "
            f"{in_range(_SENT, 'common_name')}))",
            "{{common_name}}",
        )
    ],
    unit="bytes",
    no_value="No names, or nobody",
    size=Size(8, 10),
)

_TOP_TRAFFIC = graph(
    "Traffic of the ten",
    About(
        "The ten clients that received or sent most in the time range: what they sent to the "
        "server above the axis, what they got below.",
        "`status`.",
        _NAMES_OFF,
        "one that fills the line all day is a backup, or worse.",
    ),
    [
        Query(
            of_the_top(10, bits_per_second(_RECEIVED, "common_name"), _RECEIVED, "common_name"),
            "{{common_name}} received",
        ),
        Query(
            of_the_top(10, bits_per_second(_SENT, "common_name"), _SENT, "common_name"),
            "{{common_name}} sent",
            mirrored=True,
        ),
    ],
    unit="bps",
    no_value="No names, or nobody",
    size=Size(16, 10),
)

_ROUTES = table(
    "Routes",
    About(
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
            milliseconds(_THIS("openvpn_server_route_last_reference_time_seconds")),
            unit="dateTimeFromNow",
        ),
    ],
    no_value="Routes are switched off",
    sort="Client",
    size=Size(24, 8),
)

BOARD = board(
    "openvpn-server",
    "OpenVPN / Server",
    "One OpenVPN server: its state, load, clients and troubles. The closed rows have names of "
    "clients; all the others work without.",
    variables=daemons(several=False),
    rows=[
        Row(
            "Now",
            [
                states.state_now(_THIS),
                states.why_down(_THIS),
                _CONNECTED,
                _LIMIT_USED,
                sites.missing(_THIS),
                states.data_age(_THIS),
                states.uptime(_THIS),
                states.version(_THIS),
                _OFFLOAD,
                _VERBOSITY,
                states.restarts(_THIS),
                troubles.fatal_errors(_THIS),
            ],
        ),
        Row("Load", [traffic.link(_THIS), _CLIENTS, _CHURN, _DURATIONS, _TABLES]),
        Row("What clients are", [_PLATFORMS, _CLIENT_VERSIONS, _CIPHERS]),
        Row(
            "Trouble",
            [
                states.states(_THIS, size=Size(24, 4)),
                troubles.log_events(_THIS),
                troubles.log_lines(_THIS),
            ],
        ),
        Row(
            "Expected clients",
            [sites.presence(_THIS), sites.missing_by_name(_THIS)],
            collapsed=True,
        ),
        Row("Clients by name", [_NOW, _SESSIONS], collapsed=True),
        Row("Who moves most", [_TOP, _TOP_TRAFFIC], collapsed=True),
        Row("Routes", [_ROUTES], collapsed=True),
    ],
)
