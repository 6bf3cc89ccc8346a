"""The daemon's own totals on its link."""

from exporter.metrics.family import counter, gauge, single
from exporter.state.daemon import DaemonState


def _updated(daemon: DaemonState) -> int | None:
    return daemon.status.updated if daemon.status else None


FAMILIES = (
    gauge(
        "openvpn_status_update_time_seconds",
        "Unix time printed inside the daemon's status.",
        lambda daemon: single(_updated(daemon)),
    ),
    counter(
        "openvpn_received_bytes_total",
        "Bytes that the daemon received on its link ('load-stats'; under DCO the sum of clients).",
        lambda daemon: single(daemon.traffic.received_bytes),
    ),
    counter(
        "openvpn_sent_bytes_total",
        "Bytes that the daemon sent on its link ('load-stats'; under DCO the sum of clients).",
        lambda daemon: single(daemon.traffic.sent_bytes),
    ),
)
