"""The path from a status to the page of metrics, without sockets and web server."""

import gc
import socket
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from exporter.config import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import parse_endpoint
from exporter.management.replies import LoadStats, Poll
from exporter.management.status import Status, StatusReader
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.metrics.family import Family
from exporter.metrics.page import Page
from exporter.state.daemon import DaemonState

_END = b"\nEND\r\n"
_TIMEOUT = 30.0
_LOAD_STATS = LoadStats(0, 0, 0)


class Fixture:
    """The state of one daemon and its page.

    The configuration is the default one; the exporter's metrics about itself are left out.
    """

    def __init__(self) -> None:
        clients = ClientsConfig()
        daemon = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
        self.families: Sequence[Family] = catalogue.families(clients)
        self.record = DaemonState(Target(daemon, clients))
        self._reader = StatusReader(routes=False)
        # As the program does: imported modules are exempt from garbage collection.
        gc.freeze()
        self._exposition = Exposition(self.families, CollectorRegistry())

    def update(self, status: Status, *, now: float | None = None) -> None:
        """Apply the status of one poll to the daemon's state."""
        now = time.time() if now is None else now
        run_batches(self.record.on_poll(Poll(_LOAD_STATS, status), now=now, duration=0.0))

    def feed(self, lines: Sequence[bytes], *, now: float | None = None) -> None:
        """Parse the lines of a status and apply them to the daemon's state."""
        self.update(self.parse(lines), now=now)

    def parse(self, lines: Sequence[bytes]) -> Status:
        """Parse the lines of a status; rows known from the last one are parsed faster."""
        return self._reader.read(lines)

    def render(self) -> Page:
        """Render the families that changed and return the page in pieces."""
        return self._exposition.page([self.record])

    def page(self) -> bytes:
        """Return the page as bytes in Prometheus' text format."""
        return self._exposition.page([self.record]).body


def capture_status(address: str) -> bytes:
    """Return the reply of the daemon at `address` to `status 3`, including `END`."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT) as connection:
        with connection.makefile("rb") as lines:
            lines.readline()  # the greeting
        connection.sendall(b"status 3\n")
        reply = bytearray()
        while not reply.endswith(_END):
            data = connection.recv(1 << 20)
            if not data:
                raise ConnectionError(f"{address} closed the connection before END")
            reply += data
        connection.sendall(b"quit\n")
    return bytes(reply)
