"""A daemon's own totals, over restarts and with the data path in the kernel."""

from exporter.config.schema import ClientsConfig
from exporter.daemon.ledger import Ledger
from exporter.daemon.traffic import Traffic
from exporter.management.replies import LoadStats
from exporter.management.status import Client, ServerStatus


def moved(received: int, sent: int) -> ServerStatus:
    """Return a status with one client that has moved so much."""
    client = Client("alice", "192.0.2.7:4", "10.8.0.2", "", received, sent, 100, client_id=0)
    return ServerStatus(updated=1, clients=(client,), pending=(), route_count=1)


class Daemon:
    """Traffic and ledger, fed as a record feeds them."""

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.ledger = Ledger(ClientsConfig())

    def poll(
        self,
        load: tuple[int, int],
        clients: tuple[int, int] = (0, 0),
        *,
        offloaded: bool = False,
    ) -> None:
        self.ledger.update(moved(*clients), 1.0)
        self.traffic.take(LoadStats(1, *load), self.ledger, offloaded=offloaded)

    @property
    def totals(self) -> tuple[int, int]:
        return self.traffic.received_bytes, self.traffic.sent_bytes


def test_load_stats_are_exact_without_offload() -> None:
    daemon = Daemon()
    daemon.poll((100, 10), (70, 7))
    daemon.poll((150, 20), (90, 9))
    assert daemon.totals == (150, 20)


def test_a_fall_is_a_new_process() -> None:
    daemon = Daemon()
    daemon.poll((100, 10))
    daemon.poll((30, 3))
    assert daemon.totals == (130, 13)


def test_a_new_process_is_told_even_where_its_values_are_greater() -> None:
    daemon = Daemon()
    daemon.poll((100, 10))
    daemon.traffic.restart()
    daemon.poll((130, 13))
    assert daemon.totals == (230, 23)


def test_the_clients_tell_the_totals_under_offload() -> None:
    daemon = Daemon()
    daemon.poll((5, 4), (1000, 500), offloaded=True)
    daemon.poll((6, 5), (1800, 900), offloaded=True)
    assert daemon.totals == (1800, 900)


def test_the_clients_tell_the_totals_under_offload_over_restarts() -> None:
    daemon = Daemon()
    daemon.poll((5, 4), (1000, 500), offloaded=True)
    daemon.traffic.restart()
    daemon.ledger.restart()
    daemon.poll((1, 1), (1200, 600), offloaded=True)
    assert daemon.totals == (2200, 1100)


def test_a_daemon_that_changes_its_data_path_counts_nothing_twice() -> None:
    daemon = Daemon()
    daemon.poll((100, 10), (90, 9))
    daemon.poll((110, 11), (190, 19), offloaded=True)
    daemon.poll((160, 16), (240, 24))
    assert daemon.totals == (100 + 100 + 50, 10 + 10 + 5)
