"""The dashboard of one tunnel: a daemon in client or point-to-point mode."""

from grafana import mappings
from grafana.kinds import TUNNEL
from grafana.layout import Row, build_dashboard
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import EIGHTH, stat
from grafana.panels.time_series import time_series
from grafana.queries import (
    DAEMON_MATCHERS,
    Selector,
    age,
    bits_per_second,
    highest,
    increase_in_range,
    nonzero_in_range,
    number_of,
    per_second,
    total,
)
from grafana.shared_panels import certificates, daemon_state, events, traffic
from grafana.variables import daemons_of

_select = Selector(DAEMON_MATCHERS)
_CONNECTED = _select("openvpn_state", 'state="CONNECTED"')
_TUNNELS_ONLY = "the daemon was never connected since the exporter started."

_TIME_IN_STATE = stat(
    "Time in state",
    Description(
        "Time since the daemon entered its current state.",
        "`state` and real-time messages `>STATE`.",
        "the daemon is down.",
        "long in any state but CONNECTED: the daemon is stuck.",
    ),
    Query(age(highest(_select("openvpn_state_since_timestamp_seconds")))),
    unit="s",
    no_value="not known",
    size=EIGHTH,
)

_AVAILABILITY = stat(
    "Availability",
    Description(
        "Share of the time range in which the daemon was CONNECTED. Time in which the daemon "
        "was down counts as not connected.",
        "`state` and real-time messages `>STATE`.",
        "the daemon was never up in the time range, or only its status file is read, which has"
        " no state.",
        "*States* shows whether it was one long outage or many short ones.",
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

_PASSWORD_FAILURES = stat(
    "Password failures",
    Description(
        "Passwords that the peer rejected in the time range.",
        "real-time messages `>PASSWORD:Verification Failed`.",
        "the exporter does not monitor this daemon, or is not scraped.",
        "change the password at its source before the account is locked.",
    ),
    Query(increase_in_range(_select("openvpn_password_failures_total"))),
    unit="short",
    decimals=0,
    mappings=mappings.NONE,
    colours=thresholds("green", (0.5, "red")),
    no_value="not monitored",
)

_TRANSITIONS = time_series(
    "State transitions",
    Description(
        "Entries into each state; each bar is the number in its time.",
        "real-time messages `>STATE`, and `state all` after a gap.",
        "the daemon stayed in one state.",
        "AUTH repeatedly: the password is rejected. WAIT: the peer does not reply. RESOLVE: "
        "DNS failures.",
    ),
    [
        Query(
            nonzero_in_range(
                number_of(_select("openvpn_state_transitions_total"), "state"),
                _select("openvpn_state_transitions_total"),
                "state",
            ),
            "{{state}}",
        )
    ],
    unit="short",
    no_value="None in this time range",
    bars=True,
    stacked=True,
    size=Size(12, 7),
)

_TUNNEL_TRAFFIC = time_series(
    "Tunnel traffic",
    Description(
        "Received from the tunnel above the axis, sent into it below. With data channel "
        "offload the kernel's part is missing.",
        "`status`: bytes written to and read from the TUN/TAP device.",
        _TUNNELS_ONLY,
        "traffic on the link, but none in the tunnel: only keepalives, so check the routes.",
    ),
    [
        Query(bits_per_second(_select("openvpn_client_tun_tap_write_bytes_total")), "received"),
        Query(
            bits_per_second(_select("openvpn_client_tun_tap_read_bytes_total")),
            "sent",
            mirrored=True,
        ),
    ],
    unit="bps",
    no_value="Never connected",
)


def _overhead(inside: str, outside: str) -> str:
    """Return the share of the link traffic that is no tunnel traffic."""
    return (
        f"clamp_min(1 - {total(per_second(_select(inside)))} / "
        f"({total(per_second(_select(outside)))} > 0), 0)"
    )


_OVERHEAD = time_series(
    "Overhead",
    Description(
        "Share of the link traffic that is no tunnel traffic: headers, encryption, keepalives.",
        "`status`: bytes of the TUN/TAP device compared with bytes of the link.",
        _TUNNELS_ONLY,
        "a high share is normal at low traffic. High under load: many small packets, or an MTU"
        " that fragments large ones.",
    ),
    [
        Query(
            _overhead(
                "openvpn_client_tun_tap_write_bytes_total",
                "openvpn_client_tcp_udp_read_bytes_total",
            ),
            "received",
        ),
        Query(
            _overhead(
                "openvpn_client_tun_tap_read_bytes_total",
                "openvpn_client_tcp_udp_write_bytes_total",
            ),
            "sent",
        ),
    ],
    unit="percentunit",
    no_value="Never connected",
    at_most=1,
)

_COMPRESSION = time_series(
    "Compression",
    Description(
        "Size after compression as a share of the size before. Below 100 % compression saves "
        "bytes.",
        "`status`: the compression rows.",
        "compression is off. This is recommended, since compression weakens encryption.",
        "disable it on both sides, unless an old peer requires it.",
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

_AUTHENTICATED = time_series(
    "Received and authenticated",
    Description(
        "Bytes received on the link, and the part that was authenticated and decrypted.",
        "`status`: bytes read from the link, and authenticated bytes.",
        _TUNNELS_ONLY,
        "a growing difference: the keys differ, or the packets come from another sender.",
    ),
    [
        Query(bits_per_second(_select("openvpn_client_tcp_udp_read_bytes_total")), "received"),
        Query(bits_per_second(_select("openvpn_client_auth_read_bytes_total")), "authenticated"),
    ],
    unit="bps",
    no_value="Never connected",
)

DASHBOARD = build_dashboard(
    "openvpn-tunnel",
    "OpenVPN / Tunnel",
    "One OpenVPN daemon in client or point-to-point mode: its state, reconnects and their reasons, "
    "and its traffic.",
    variables=daemons_of(TUNNEL),
    rows=[
        Row(
            "Status",
            [
                daemon_state.current_state(_select),
                _TIME_IN_STATE,
                daemon_state.management_session(_select),
                events.hold(_select, size=EIGHTH),
                events.prompt(_select, size=EIGHTH),
                daemon_state.version(_select, size=EIGHTH),
                daemon_state.status_age(_select),
                _AVAILABILITY,
                daemon_state.reconnects(_select),
                _PASSWORD_FAILURES,
                certificates.soonest_expiry(_select),
                daemon_state.restarts(_select),
                events.fatal_errors(_select),
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
        Row("Traffic", [traffic.link(_select), _TUNNEL_TRAFFIC, _OVERHEAD, _AUTHENTICATED]),
        Row("Log", [events.log_events(_select), events.log_messages(_select)]),
        Row("Compression", [_COMPRESSION], collapsed=True),
    ],
)
