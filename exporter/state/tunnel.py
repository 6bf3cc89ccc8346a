"""The traffic of a client or point-to-point tunnel over its reconnects.

The daemon's own statistics begin again at 0 with every connection.
"""

from exporter.management.status import TunnelStatus
from exporter.state.resetting_counter import ResettingCounter

FIELDS = (
    "tun_tap_read",
    "tun_tap_write",
    "tcp_udp_read",
    "tcp_udp_write",
    "auth_read",
    "pre_compress",
    "post_compress",
    "pre_decompress",
    "post_decompress",
)
"""The counters of `TunnelStatus`."""


class TunnelCounters:
    """One accumulated counter for each row that the daemon printed at least once."""

    def __init__(self) -> None:
        """Begin without a counter."""
        self._counters: dict[str, ResettingCounter] = {}

    @property
    def totals(self) -> dict[str, int]:
        """Bytes by field of `TunnelStatus`."""
        return {field: growth.total for field, growth in self._counters.items()}

    def update(self, status: TunnelStatus) -> None:
        """Take the statistics of one poll."""
        for field in FIELDS:
            value = getattr(status, field)
            if value is not None:
                self._counters.setdefault(field, ResettingCounter()).update(value)

    def restart(self) -> None:
        """Note that a new connection began."""
        for growth in self._counters.values():
            growth.restart()
