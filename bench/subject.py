"""One daemon's record and the page that shows it, fed by hand: no socket, no web server."""

import gc
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from exporter.config import ClientsConfig, DaemonConfig
from exporter.daemon.poll import Poll
from exporter.daemon.record import Record
from exporter.management.endpoint import parse_endpoint
from exporter.management.replies import LoadStats
from exporter.management.status import Status, StatusReader
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.metrics.metric import Family

_NOTHING = LoadStats(0, 0, 0)


class Subject:
    """A daemon that is told its readings; the exporter's own instruments are left out."""

    def __init__(self) -> None:
        """Begin with a daemon that nobody has reached yet, by the default configuration."""
        clients = ClientsConfig()
        daemon = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
        self.families: Sequence[Family] = catalogue.families(clients)
        self.record = Record(daemon, clients)
        self._reader = StatusReader(routes=False)
        # As the program does: what was imported is none of the collector's business.
        gc.freeze()
        self._exposition = Exposition(self.families, CollectorRegistry())

    def take(self, status: Status, *, now: float | None = None) -> None:
        """Enter the reading of one poll."""
        now = time.time() if now is None else now
        self.record.polled(Poll(_NOTHING, status), now=now, duration=0.0)

    def read(self, lines: Sequence[bytes], *, now: float | None = None) -> None:
        """Enter a status as it is printed."""
        self.take(self.parse(lines), now=now)

    def parse(self, lines: Sequence[bytes]) -> Status:
        """Read a status, knowing the last one."""
        return self._reader.read(lines)

    def render(self) -> object:
        """Render what has changed, and put the page together, as pieces."""
        return self._exposition.page([self.record])

    def page(self) -> bytes:
        """Return the page in Prometheus' own format."""
        return self._exposition.page([self.record]).body
