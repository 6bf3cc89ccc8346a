"""The counters that statuses drive: of a server's clients, of a tunnel, and of the daemon.

Times are in seconds since the epoch.
"""

import math
from collections.abc import Generator

from exporter.management.replies import LoadStats
from exporter.management.status import ServerStatus, Status, TunnelStatus
from exporter.state.clients import ClientTable
from exporter.state.status_order import Restart
from exporter.state.traffic import Traffic, TunnelCounters


class StatusCounters:
    """The counters of one daemon that are updated from each status."""

    def __init__(self, clients: ClientTable, *, absolute: bool = False) -> None:
        """With `absolute` the counters start at the daemon's own values: for a single poll."""
        self.traffic = Traffic(absolute=absolute)
        self.tunnel = TunnelCounters(absolute=absolute)
        self._clients = clients
        self._dco = False

    def on_new_process(self) -> None:
        """Record that the daemon's process restarted: its own totals are 0."""
        self._dco = False
        self.traffic.restart()

    def restart(self, restart: Restart) -> Generator[None, None, None]:
        """Record what restarted before a status, yielding after each batch of clients."""
        if restart is not Restart.NONE:
            self.tunnel.restart()
        if restart is Restart.ALL:
            yield from self._clients.restart()

    def update(
        self,
        status: Status,
        now: float,
        *,
        monitored_for: float,
        connection_age: float = math.inf,
        from_file: bool = False,
    ) -> Generator[None, None, None]:
        """Update the counters of the clients or of the tunnel, yielding after each batch.

        Args:
            status: the status, with all clients that have logged in.
            now: the time.
            monitored_for: the seconds since the monitoring began: what began before does not count.
            connection_age: the seconds since the tunnel's connection began, as far as known.
            from_file: whether a status file has shown it.
        """
        match status:
            case ServerStatus():
                yield from self._clients.update(
                    status, now, monitored_for=monitored_for, from_file=from_file
                )
                if status.dco_enabled is not None:  # format 1 has no such line
                    self._dco = status.dco_enabled
            case TunnelStatus():
                self._dco = False
                self.tunnel.update(status, new_connection=connection_age < monitored_for)

    def update_traffic(
        self, load_stats: LoadStats | None, now: float, *, new_process: bool = False
    ) -> None:
        """Update the daemon's own totals, with those of the last status."""
        tunnel = self.tunnel.totals
        rows = LoadStats(
            0,
            self._clients.received_bytes + tunnel.get("tcp_udp_read", 0),
            self._clients.sent_bytes + tunnel.get("tcp_udp_write", 0),
        )
        self.traffic.update(load_stats, rows, dco=self._dco, now=now, new_process=new_process)
