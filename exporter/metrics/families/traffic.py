"""The daemon's own totals on its link."""

from exporter.metrics.family import counter, gauge, one
from exporter.state.daemon import Record


def _updated(record: Record) -> int | None:
    return record.status.updated if record.status else None


FAMILIES = (
    gauge(
        "openvpn_status_update_time_seconds",
        "Unix time printed inside the daemon's status.",
        lambda record: one(_updated(record)),
    ),
    counter(
        "openvpn_received_bytes_total",
        "Bytes that the daemon received on its link ('load-stats'; under DCO the sum of clients).",
        lambda record: one(record.traffic.received_bytes),
    ),
    counter(
        "openvpn_sent_bytes_total",
        "Bytes that the daemon sent on its link ('load-stats'; under DCO the sum of clients).",
        lambda record: one(record.traffic.sent_bytes),
    ),
)
