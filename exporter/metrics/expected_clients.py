"""The metrics of clients that are expected on any server: they belong to no single daemon."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence

from exporter.management.batches import row_batches
from exporter.metrics.encode import CHUNK_SIZE, escape
from exporter.metrics.family import Metric, MetricType
from exporter.metrics.page import Block
from exporter.state.daemon import DaemonState
from exporter.state.expected_clients import ExpectedClients

CONNECTED = Metric(
    "openvpn_expected_client_connected",
    MetricType.GAUGE,
    "1 if a client of the top-level 'expected_clients' is connected to any server, else 0; absent "
    "while no server shows it and one can't be asked.",
    ("common_name",),
)
LAST_SEEN = Metric(
    "openvpn_expected_client_last_seen_timestamp_seconds",
    MetricType.GAUGE,
    "Unix time of the last poll that found such a client connected to any server; only while none "
    "shows it.",
    ("common_name",),
)
NOT_EXPORTED = Metric(
    "openvpn_exporter_expected_clients_not_exported",
    MetricType.GAUGE,
    "Names without series that patterns of 'expected_clients' match, because 'clients.limit' is "
    "reached.",
)
METRICS = (CONNECTED, LAST_SEEN, NOT_EXPORTED)


class ExpectedClientLines:
    """The sample lines of these metrics, each rendered when its values have changed."""

    def __init__(self, clients: ExpectedClients) -> None:
        self._clients = clients
        self._rendered: dict[str, tuple[Mapping[str, float], Block]] = {}

    def refresh(self, daemons: Collection[DaemonState]) -> Generator[None, None, None]:
        """Read the states of all daemons, and render what has changed; pause after each chunk."""
        yield from self._clients.update(daemons)
        for metric, values in (
            (CONNECTED, self._clients.connected),
            (LAST_SEEN, self._clients.last_seen),
        ):
            last = self._rendered.get(metric.name)
            if last is None or last[0] != values:
                parts = yield from _lines(metric, values)
                self._rendered[metric.name] = values, Block(parts)

    def chunks(self) -> Iterator[tuple[Metric, Block]]:
        """Yield each metric that has samples, with its lines."""
        for metric in (CONNECTED, LAST_SEEN):
            values, block = self._rendered.get(metric.name, ({}, _EMPTY))
            if values:
                yield metric, block
        if self._clients.is_configured:
            yield (
                NOT_EXPORTED,
                Block([f"{NOT_EXPORTED.name} {self._clients.not_exported}\n".encode()]),
            )


_EMPTY = Block(())


def _lines(metric: Metric, values: Mapping[str, float]) -> Generator[None, None, Sequence[bytes]]:
    """Return a line for each client, in parts; pause after each."""
    start = f'{metric.name}{{{metric.labels[0]}="'
    parts: list[bytes] = []
    for batch in row_batches(values.items(), CHUNK_SIZE):
        lines = [f'{start}{escape(name)}"}} {value!r}\n' for name, value in batch]
        parts.append("".join(lines).encode())
        yield
    return parts
