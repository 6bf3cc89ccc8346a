"""A server as a whole."""

from collections.abc import Callable, Iterable

from exporter.daemon.record import Record
from exporter.management.status import ServerStatus
from exporter.metrics.metric import Sample, gauge, one


def _of_status(
    value: Callable[[ServerStatus], float | None],
) -> Callable[[Record], Iterable[Sample]]:
    """Take a value from the status of a server; none in other modes."""
    return lambda record: (
        one(value(record.status)) if isinstance(record.status, ServerStatus) else ()
    )


FAMILIES = (
    gauge(
        "openvpn_server_connected_clients",
        "Clients that are connected: rows of the status with a virtual address.",
        _of_status(lambda status: len(status.clients)),
    ),
    gauge(
        "openvpn_server_pending_clients",
        "Other rows of the status: handshaking, being authenticated, just rejected, port scans.",
        _of_status(lambda status: len(status.pending)),
    ),
    gauge(
        "openvpn_server_max_clients",
        "The daemon's 'max-clients', if configured here.",
        lambda record: one(record.max_clients),
    ),
    gauge(
        "openvpn_server_routes",
        "Rows of the server's routing table.",
        _of_status(lambda status: status.route_count),
    ),
    gauge(
        "openvpn_server_max_bcast_mcast_queue_length",
        "Highest fill level of the broadcast and multicast queue since the daemon's last restart.",
        _of_status(lambda status: status.max_queue_length),
    ),
    gauge(
        "openvpn_server_dco_enabled",
        "1 if the data channel is offloaded to the kernel (2.6 and later).",
        _of_status(lambda status: status.dco_enabled),
    ),
)
