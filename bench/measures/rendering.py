"""Rendering 10,000 clients, against `prometheus_client.generate_latest` over equal samples."""

import statistics
import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from bench.capture import capture_status
from bench.children import simulated
from bench.effort import Effort
from bench.figures import Figure, at_least, spread, times
from bench.progress import say
from bench.timing import durations
from exporter.config import ClientsConfig, DaemonConfig
from exporter.daemon.poll import Poll
from exporter.daemon.record import Record
from exporter.management.endpoint import parse_endpoint
from exporter.management.replies import LoadStats
from exporter.management.status import Status, parse_status
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition

_CLIENTS = 10_000
_LIMIT = 10.0


class _Ready(Collector):
    """Metrics that are there already: their making is not what is measured."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def measure(effort: Effort) -> list[Figure]:
    """Render our own page, read it with prometheus_client, and let that render it again."""
    with simulated(clients=_CLIENTS) as (address,):
        lines = capture_status(address).splitlines()
    status = parse_status(lines, routes=False)
    clients = ClientsConfig()
    record = Record(
        DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505")), clients
    )
    exposition = Exposition(catalogue.families(clients), CollectorRegistry())
    ours = [_seconds(status, record, exposition) for _ in range(effort.calls)]
    page = exposition.page([record]).body.decode()
    say("prometheus_client reads the page and renders it")
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(_Ready(text_string_to_metric_families(page)))
    theirs = durations(lambda: generate_latest(registry), times=effort.calls)
    ratio = statistics.median(theirs) / statistics.median(ours)
    samples = sum(not line.startswith("#") for line in page.splitlines())
    return [
        Figure(
            what=f"rendering {_CLIENTS:,} clients ({samples:,} samples)",
            measured=spread(ours),
            reference=f"generate_latest {spread(theirs)}",
            ratio=times(ratio),
            bound=at_least(ratio, _LIMIT, "x"),
        )
    ]


def _seconds(status: Status, record: Record, exposition: Exposition) -> float:
    """Return how long the first page after a poll takes."""
    record.polled(Poll(LoadStats(0, 0, 0), status), now=time.time(), duration=0.0)
    started = time.perf_counter()
    exposition.page([record])
    return time.perf_counter() - started
