"""The daemon's own byte totals: of a process, and of a client's or p2p tunnel."""

import msgspec

from exporter.management.replies import LoadStats
from exporter.management.status import TunnelStatus
from exporter.state.counters import ResettingCounter

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


class ByteRate(msgspec.Struct, frozen=True):
    """Bytes per second, the mean between the last two polls."""

    received: float
    sent: float


class Traffic:
    """Bytes received and sent by the daemon, over its restarts.

    `load-stats` is exact over the life of a process, but it does not see what the kernel moves
    under data channel offload (DCO), and a daemon may not answer it. Then the growth of the rows of
    the status is used: those of the clients, or of the tunnel.
    """

    def __init__(self, *, absolute: bool = False) -> None:
        """With `absolute` the first values count, too: for a single poll."""
        self.received_bytes = 0
        self.sent_bytes = 0
        self._initialised = absolute
        self.rate: ByteRate | None = None
        self._updated_at: float | None = None
        self._received = ResettingCounter()
        self._sent = ResettingCounter()
        self._rows_received = ResettingCounter()
        self._rows_sent = ResettingCounter()
        self._had_load_stats = True

    def update(
        self,
        load_stats: LoadStats | None,
        rows: LoadStats,
        *,
        dco: bool,
        now: float,
        new_process: bool = False,
    ) -> None:
        """Add the growth since the last poll; `now` is in seconds since the epoch.

        At the first poll `load_stats` have not grown: the process may be older than the exporter,
        unless it is a `new_process`. `rows` are the totals of the rows of the status.
        """
        received = self._rows_received.update(rows.received_bytes)
        sent = self._rows_sent.update(rows.sent_bytes)
        if load_stats is not None:
            if not self._initialised and not new_process:
                self._received.start(load_stats.received_bytes)
                self._sent.start(load_stats.sent_bytes)
            self._initialised = True
            growth = (
                self._received.update(load_stats.received_bytes),
                self._sent.update(load_stats.sent_bytes),
            )
            if self._had_load_stats and not dco:  # else it contains what the rows had counted
                received, sent = growth
        self._had_load_stats = load_stats is not None
        self.received_bytes += received
        self.sent_bytes += sent
        self.rate = self._rate(received, sent, now)
        self._updated_at = now

    def _rate(self, received: int, sent: int, now: float) -> ByteRate | None:
        """Return the rate, None if there is no earlier poll of the same process."""
        if self._updated_at is None or now <= self._updated_at:
            return None
        seconds = now - self._updated_at
        return ByteRate(received / seconds, sent / seconds)

    def restart(self) -> None:
        """Record that the daemon's process restarted."""
        self._initialised = True
        self.rate = self._updated_at = None
        self._received.restart()
        self._sent.restart()


class TunnelCounters:
    """The statistics of a client's or p2p tunnel over its reconnects: each resets them to 0.

    There is a counter for each row that the daemon printed at least once.
    """

    def __init__(self, *, absolute: bool = False) -> None:
        """With `absolute` the first values count, too: for a single poll."""
        self._initialised = absolute
        self._counters: dict[str, ResettingCounter] = {}

    @property
    def totals(self) -> dict[str, int]:
        """Bytes by field of `TunnelStatus`."""
        return {field: counter.total for field, counter in self._counters.items()}

    def update(self, status: TunnelStatus, *, new_connection: bool = False) -> None:
        """Add the growth since the last poll.

        At the first poll nothing has grown: the connection may be older than the exporter, unless
        it is a `new_connection`.
        """
        for field in FIELDS:
            value = getattr(status, field)
            if value is None:
                continue
            counter = self._counters.setdefault(field, ResettingCounter())
            if not self._initialised and not new_connection:
                counter.start(value)
            counter.update(value)
        self._initialised = True

    def restart(self) -> None:
        """Record that a new connection began."""
        self._initialised = True
        for counter in self._counters.values():
            counter.restart()
