"""A daemon: whether it is up, its version, state and traffic, and the statistics of a tunnel."""

from exporter.management.errors import DownReason
from exporter.management.replies import Version
from exporter.management.state import STATE_MODES, StateName
from exporter.metrics.family import Family, Samples, counter, gauge, info
from exporter.state.daemon import DaemonState


def _down_reason(daemon: DaemonState) -> Samples:
    return {reason.value: int(reason is daemon.down_reason) for reason in DownReason}


def _info_labels(daemon: DaemonState) -> tuple[str, ...] | None:
    version = daemon.version
    if version is None and daemon.info is None:
        return None
    version = version or Version("", "", "")
    mode = daemon.mode
    return (
        version.version,
        version.platform,
        mode.value if mode else "",
        version.management_version,
        daemon.source.value,
    )


def _info(daemon: DaemonState) -> dict[tuple[str, ...], float] | None:
    labels = _info_labels(daemon)
    return None if labels is None else {labels: 1}


def _state(daemon: DaemonState) -> Samples:
    current = daemon.state.name if daemon.state else StateName.UNKNOWN
    return daemon.modes.select({name: int(name is current) for name in StateName}, STATE_MODES)


def _tunnel_bytes(field: str, text: str) -> Family:
    name = f"openvpn_client_{field}_bytes_total"
    return counter(
        name,
        text,
        lambda daemon: daemon.tunnel.totals.get(field) if daemon.modes.is_tunnel else None,
    )


DAEMON = (
    gauge(
        "openvpn_up",
        "1 if the last poll of the daemon or its status file succeeded, else 0.",
        lambda daemon: daemon.up,
        while_up=False,
    ),
    gauge(
        "openvpn_management_up",
        "1 if the management session with the daemon is up, else 0.",
        lambda daemon: daemon.management_up if daemon.has_management else None,
        while_up=False,
    ),
    gauge(
        "openvpn_down_reason",
        "1 for the reason why the management session is down (or the status file is unusable, "
        "where there is no session), else 0; all 0 while up.",
        _down_reason,
        labels=("reason",),
        while_up=False,
        inputs=lambda daemon: daemon.down_reason,
    ),
    info(
        "openvpn_info",
        "Version, platform and mode of the daemon; source is where its status comes from.",
        _info,
        labels=("version", "platform", "mode", "management_version", "source"),
        inputs=_info_labels,
    ),
    gauge(
        "openvpn_start_time_seconds",
        "Unix time of the start of the daemon's process, from its state history.",
        lambda daemon: daemon.process.start_time if daemon.management_up else None,
    ),
    gauge(
        "openvpn_log_verbosity",
        "Log verbosity of the daemon ('verb'), which decides the log messages that exist.",
        lambda daemon: daemon.info.verbosity if daemon.info else None,
    ),
)

STATE = (
    gauge(
        "openvpn_state",
        "1 for the current state of the daemon, else 0; an initialised server is CONNECTED.",
        _state,
        labels=("state",),
        inputs=lambda daemon: (daemon.state, daemon.modes.revision),
    ),
    gauge(
        "openvpn_state_since_timestamp_seconds",
        "Unix time of the daemon's last state transition.",
        lambda daemon: daemon.state.time if daemon.state else None,
    ),
)

TRAFFIC = (
    gauge(
        "openvpn_status_update_time_seconds",
        "Unix time printed in the daemon's last status.",
        lambda daemon: daemon.status.updated if daemon.status else None,
    ),
    counter(
        "openvpn_received_bytes_total",
        "Bytes received by the daemon on its link ('load-stats'; with DCO the sum over its "
        "clients).",
        lambda daemon: daemon.traffic.received_bytes,
    ),
    counter(
        "openvpn_sent_bytes_total",
        "Bytes sent by the daemon on its link ('load-stats'; with DCO the sum over its clients).",
        lambda daemon: daemon.traffic.sent_bytes,
    ),
)

TUNNEL = (
    _tunnel_bytes("tun_tap_read", "Bytes read from the TUN/TAP device."),
    _tunnel_bytes("tun_tap_write", "Bytes written to the TUN/TAP device."),
    _tunnel_bytes("tcp_udp_read", "Bytes received from the peer over TCP or UDP."),
    _tunnel_bytes("tcp_udp_write", "Bytes sent to the peer over TCP or UDP."),
    _tunnel_bytes("auth_read", "Bytes received from the peer after authentication and decryption."),
    _tunnel_bytes("pre_compress", "Bytes before compression."),
    _tunnel_bytes("post_compress", "Bytes after compression."),
    _tunnel_bytes("pre_decompress", "Bytes before decompression."),
    _tunnel_bytes("post_decompress", "Bytes after decompression."),
)
"""In client and point-to-point mode."""
