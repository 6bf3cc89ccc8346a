"""One tunnel: a daemon in client or point-to-point mode."""

from grafana import mappings
from grafana.layout import Row, build_dashboard
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.time_series import time_series
from grafana.queries import (
    DAEMON_MATCHERS,
    Selector,
    age,
    bits_per_second,
    highest,
    increase_in_range,
    nonzero_in_range,
    per_minute,
    per_second,
    total,
)
from grafana.shared_panels import daemon_state, events, traffic
from grafana.variables import daemons

_select = Selector(DAEMON_MATCHERS)
_CONNECTED = _select("openvpn_state", 'state="CONNECTED"')
_TUNNELS_ONLY = "this daemon is a server, or was never connected since the exporter started."

_IN_STATE = stat(
    "In this state for",
    Description(
        "Time since the daemon entered its state.",
        "`state` and real-time messages `>STATE`.",
        "the daemon is down.",
        "long in any state but CONNECTED: it is stuck there.",
    ),
    Query(age(highest(_select("openvpn_state_since_timestamp_seconds")))),
    unit="s",
    no_value="not known",
)

_SHARE = stat(
    "Connected in range",
    Description(
        "Share of the time range in which the tunnel was CONNECTED. Time in which the daemon was "
        "down counts as not connected.",
        "`state` and real-time messages `>STATE`.",
        "the daemon was never up in the time range; or only its status file is read, which says no "
        "state.",
        "the timeline shows whether it is one long outage or many short ones.",
    ),
    Query(
        f"sum(sum_over_time({_CONNECTED}[$__range])) / "
        f"sum(count_over_time({_select('openvpn_management_up')}[$__range]))"
    ),
    unit="percentunit",
    decimals=1,
    colours=thresholds("red", (0.95, "yellow"), (0.99, "green")),
    no_value="never up",
)

_RECONNECTS = stat(
    "Reconnects in range",
    Description(
        "Times that the tunnel began anew, in the time range. Complete: none is too short.",
        "real-time messages `>STATE`, and `state all` after a gap.",
        "the exporter doesn't watch such a daemon, or isn't scraped.",
        "the bars below say why.",
    ),
    Query(increase_in_range(_select("openvpn_reconnects_total"))),
    unit="short",
    decimals=0,
    mappings=mappings.NONE,
    colours=thresholds("green", (0.5, "yellow")),
    no_value="not watched",
)

_PASSWORDS = stat(
    "Passwords refused",
    Description(
        "Passwords that the other side refused, in the time range.",
        "real-time messages `>PASSWORD:Verification Failed`.",
        "the exporter doesn't watch such a daemon, or isn't scraped.",
        "change the password where it is kept, before the account is locked.",
    ),
    Query(increase_in_range(_select("openvpn_password_failures_total"))),
    unit="short",
    decimals=0,
    mappings=mappings.NONE,
    colours=thresholds("green", (0.5, "red")),
    no_value="not watched",
)

_TRANSITIONS = time_series(
    "Entries into states",
    Description(
        "How often the daemon entered each state, per minute. Only states that occurred.",
        "real-time messages `>STATE`, and `state all` after a gap.",
        "the daemon stayed in one state throughout.",
        "AUTH again and again: refused passwords. WAIT: no answer. RESOLVE: name servers.",
    ),
    [
        Query(
            nonzero_in_range(
                per_minute(_select("openvpn_state_transitions_total"), "state"),
                _select("openvpn_state_transitions_total"),
                "state",
            ),
            "{{state}}",
        )
    ],
    unit="cpm",
    no_value="No change in this time range",
    bars=True,
    stacked=True,
    size=Size(12, 7),
)

_INNER = time_series(
    "Traffic inside the tunnel",
    Description(
        "What the tunnel brought out of the link, above the axis, and what it took in, below. "
        "Without the kernel's part under data channel offload.",
        "`status`: bytes written to and read from the tunnel device.",
        _TUNNELS_ONLY,
        "traffic on the link but none inside: keepalives only, so look at the routes.",
    ),
    [
        Query(bits_per_second(_select("openvpn_client_tun_tap_write_bytes_total")), "brought"),
        Query(
            bits_per_second(_select("openvpn_client_tun_tap_read_bytes_total")),
            "taken",
            mirrored=True,
        ),
    ],
    unit="bps",
    no_value="No tunnel",
)


def _share_lost(inside: str, outside: str) -> str:
    """Return which share of the link's bytes is not the tunnel's."""
    return (
        f"clamp_min(1 - {total(per_second(_select(inside)))} / "
        f"({total(per_second(_select(outside)))} > 0), 0)"
    )


_OVERHEAD = time_series(
    "Overhead of the tunnel",
    Description(
        "Which share of the link's bytes is not the tunnel's: headers, encryption, keepalives.",
        "`status`: bytes of the tunnel device against bytes of the link.",
        _TUNNELS_ONLY,
        "high is normal while little moves. High under load: many small packets, or an MTU that "
        "splits large ones.",
    ),
    [
        Query(
            _share_lost(
                "openvpn_client_tun_tap_write_bytes_total",
                "openvpn_client_tcp_udp_read_bytes_total",
            ),
            "received",
        ),
        Query(
            _share_lost(
                "openvpn_client_tun_tap_read_bytes_total",
                "openvpn_client_tcp_udp_write_bytes_total",
            ),
            "sent",
        ),
    ],
    unit="percentunit",
    no_value="No tunnel",
    at_most=1,
)

_COMPRESSION = time_series(
    "Compression",
    Description(
        "Size after compression as a share of the size before: below 100 % it saves something.",
        "`status`: the rows on compression.",
        "compression is off, as it should be: it leaks what is encrypted.",
        "switch it off on both sides, unless an old peer insists.",
    ),
    [
        Query(
            f"{total(per_second(_select('openvpn_client_post_compress_bytes_total')))} / "
            f"({total(per_second(_select('openvpn_client_pre_compress_bytes_total')))} > 0)",
            "sent",
        ),
        Query(
            f"{total(per_second(_select('openvpn_client_pre_decompress_bytes_total')))} / "
            f"({total(per_second(_select('openvpn_client_post_decompress_bytes_total')))} > 0)",
            "received",
        ),
    ],
    unit="percentunit",
    no_value="No compression",
)

_DISCARDED = time_series(
    "Received and authentic",
    Description(
        "Bytes that arrived on the link, and those of them that could be decrypted and "
        "authenticated.",
        "`status`: bytes read from the link, and authenticated bytes.",
        _TUNNELS_ONLY,
        "a gap that grows: keys that don't fit, or somebody else's packets.",
    ),
    [
        Query(bits_per_second(_select("openvpn_client_tcp_udp_read_bytes_total")), "arrived"),
        Query(bits_per_second(_select("openvpn_client_auth_read_bytes_total")), "authentic"),
    ],
    unit="bps",
    no_value="No tunnel",
)

DASHBOARD = build_dashboard(
    "openvpn-tunnel",
    "OpenVPN / Tunnel",
    "One OpenVPN daemon in client or point-to-point mode: whether its tunnel holds, why not, and "
    "what it moves.",
    variables=daemons(several=False),
    rows=[
        Row(
            "Now",
            [
                daemon_state.state_now(_select),
                _IN_STATE,
                daemon_state.why_down(_select),
                events.hold(_select),
                events.prompt(_select),
                daemon_state.version(_select),
                _SHARE,
                _RECONNECTS,
                daemon_state.restarts(_select),
                events.fatal_errors(_select),
                _PASSWORDS,
                daemon_state.data_age(_select),
            ],
        ),
        Row(
            "States",
            [
                daemon_state.states(_select, size=Size(24, 4)),
                events.reconnects(_select, size=Size(12, 7)),
                _TRANSITIONS,
            ],
        ),
        Row("Traffic", [traffic.link(_select), _INNER, _OVERHEAD, _DISCARDED]),
        Row("Log", [events.log_events(_select), events.log_lines(_select)]),
        Row("Compression", [_COMPRESSION], collapsed=True),
    ],
)
