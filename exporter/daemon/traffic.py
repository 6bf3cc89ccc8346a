"""The daemon's own totals on its link, right with and without data channel offload."""

from exporter.daemon.growth import Growth
from exporter.daemon.ledger import Ledger
from exporter.management.replies import LoadStats


class Traffic:
    """Bytes received and sent by the daemon, over its restarts.

    `load-stats` is exact over a process' life but blind to what the kernel moves under offload;
    then the growth of the clients' own counters is all there is.
    """

    def __init__(self) -> None:
        """Begin at 0."""
        self.received_bytes = 0
        self.sent_bytes = 0
        self._received = Growth()
        self._sent = Growth()
        self._ledger_received = Growth()
        self._ledger_sent = Growth()

    def take(self, load_stats: LoadStats, ledger: Ledger, *, offloaded: bool) -> None:
        """Take one poll."""
        received = self._received.take(load_stats.received_bytes)
        sent = self._sent.take(load_stats.sent_bytes)
        ledger_received = self._ledger_received.take(ledger.received_bytes)
        ledger_sent = self._ledger_sent.take(ledger.sent_bytes)
        self.received_bytes += ledger_received if offloaded else received
        self.sent_bytes += ledger_sent if offloaded else sent

    def restart(self) -> None:
        """Note that a new process began."""
        self._received.restart()
        self._sent.restart()
