"""Rendering of 10,000 clients, compared with `prometheus_client.generate_latest`."""

import statistics
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from bench.benchmark import SampleSizes
from bench.children import simulated_daemons
from bench.fixture import Fixture, capture_status
from bench.process import cpu_time
from bench.report import progress
from bench.result import Result, at_least, format_ratio, format_spread

_CLIENTS = 10_000
_LIMIT = 10.0


class _ConstantCollector(Collector):
    """Metrics that exist already, so that collecting them takes no time."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def measure(sizes: SampleSizes) -> list[Result]:
    """Render the page with the exporter, then the same samples with prometheus_client."""
    with simulated_daemons(clients=_CLIENTS) as (address,):
        replies = [capture_status(address).splitlines() for _ in range(sizes.calls)]
    first = [_render_time(replies[0], Fixture()) for _ in range(sizes.calls)]
    fixture = Fixture()
    _render_time(replies[0], fixture)
    ours = [_render_time(reply, fixture) for reply in replies]
    page = fixture.page().decode()
    count = sum(not line.startswith("#") for line in page.splitlines())
    progress("generate_latest")
    registry = _registry(page)
    theirs = [cpu_time(lambda: generate_latest(registry)) for _ in range(sizes.calls)]
    ratio = _ratio(theirs, ours)
    return [
        Result(
            name=f"rendering {_CLIENTS:,} clients ({count:,} samples) after a poll",
            measured=format_spread(ours),
            reference=f"generate_latest {format_spread(theirs)}",
            ratio=format_ratio(ratio),
            limit=at_least(ratio, _LIMIT, "x"),
        ),
        Result(
            name=f"rendering {_CLIENTS:,} clients ({count:,} samples) after the first poll",
            measured=format_spread(first),
            reference=f"generate_latest {format_spread(theirs)}",
            ratio=format_ratio(_ratio(theirs, first)),
        ),
    ]


def _ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    return statistics.median(numerator) / statistics.median(denominator)


def _render_time(reply: Sequence[bytes], fixture: Fixture) -> float:
    """Return the CPU time of the first page after a poll, including collecting the samples."""
    fixture.feed(reply)
    return cpu_time(fixture.render)


def _registry(page: str) -> CollectorRegistry:
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(_ConstantCollector(text_string_to_metric_families(page)))
    return registry
