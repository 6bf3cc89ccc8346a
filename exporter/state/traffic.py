"""The daemon's own totals on its link, right with and without data channel offload."""

import msgspec

from exporter.management.replies import LoadStats
from exporter.state.clients import ClientTable
from exporter.state.resetting_counter import ResettingCounter


class ByteRate(msgspec.Struct, frozen=True):
    """Bytes per second, as the mean between the last two polls."""

    received: float
    sent: float


class Traffic:
    """Bytes received and sent by the daemon, over its restarts.

    `load-stats` is exact over a process' life but blind to what the kernel moves under offload;
    then the growth of the clients' own counters is all there is.
    """

    def __init__(self) -> None:
        """Begin at 0."""
        self.received_bytes = 0
        self.sent_bytes = 0
        self.rate: ByteRate | None = None
        self._taken_at: float | None = None
        self._received = ResettingCounter()
        self._sent = ResettingCounter()
        self._ledger_received = ResettingCounter()
        self._ledger_sent = ResettingCounter()

    def update(
        self, load_stats: LoadStats, ledger: ClientTable, *, offloaded: bool, now: float
    ) -> None:
        """Take one poll, made at `now` (seconds since the epoch)."""
        received = self._received.update(load_stats.received_bytes)
        sent = self._sent.update(load_stats.sent_bytes)
        ledger_received = self._ledger_received.update(ledger.received_bytes)
        ledger_sent = self._ledger_sent.update(ledger.sent_bytes)
        if offloaded:
            received, sent = ledger_received, ledger_sent
        self.received_bytes += received
        self.sent_bytes += sent
        self.rate = self._rate(received, sent, now)
        self._taken_at = now

    def _rate(self, received: int, sent: int, now: float) -> ByteRate | None:
        """Return the rate, None where no earlier poll of the same process tells since when."""
        if self._taken_at is None or now <= self._taken_at:
            return None
        seconds = now - self._taken_at
        return ByteRate(received / seconds, sent / seconds)

    def restart(self) -> None:
        """Note that a new process began."""
        self.rate = self._taken_at = None
        self._received.restart()
        self._sent.restart()
