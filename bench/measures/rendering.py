"""Rendering 10,000 clients, against `prometheus_client.generate_latest` over equal samples."""

import statistics
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from bench.capture import capture_status
from bench.children import simulated
from bench.effort import Effort
from bench.figures import Figure, at_least, spread, times
from bench.progress import say
from bench.subject import Subject
from bench.timing import processor_time
from exporter.management.status import Status, parse_status
from exporter.metrics.lines import render
from exporter.metrics.metric import Metric as OurMetric
from exporter.metrics.metric import Sample

_CLIENTS = 10_000
_LIMIT = 10.0

_Samples = Sequence[tuple[OurMetric, Sequence[Sample]]]


class _Ready(Collector):
    """Metrics that are there already: their making is not what is measured."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def measure(effort: Effort) -> list[Figure]:
    """Render our own page, read it with prometheus_client, and let that render it again."""
    with simulated(clients=_CLIENTS) as (address,):
        status = parse_status(capture_status(address).splitlines(), routes=False)
    subject = Subject()
    whole = [_page_time(status, subject) for _ in range(effort.calls)]
    samples = _samples(subject)
    ours = [processor_time(lambda: _render(samples)) for _ in range(effort.calls)]
    say("prometheus_client reads the page and renders it")
    registry = _registry(subject.page().decode())
    theirs = [processor_time(lambda: generate_latest(registry)) for _ in range(effort.calls)]
    count = sum(len(series) for _, series in samples)
    ratio = _ratio(theirs, ours)
    return [
        Figure(
            what=f"rendering {_CLIENTS:,} clients ({count:,} ready samples)",
            measured=spread(ours),
            reference=f"generate_latest {spread(theirs)}",
            ratio=times(ratio),
            bound=at_least(ratio, _LIMIT, "x"),
        ),
        Figure(
            what="likewise, from the record: samples made and rendered",
            measured=spread(whole),
            reference="generate_latest as before",
            ratio=times(_ratio(theirs, whole)),
        ),
    ]


def _ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return statistics.median(above) / statistics.median(below)


def _page_time(status: Status, subject: Subject) -> float:
    """Return how long the first page after a poll takes."""
    subject.take(status)
    return processor_time(subject.page)


def _samples(subject: Subject) -> _Samples:
    return [(family.metric, list(family.samples(subject.record))) for family in subject.families]


def _render(samples: _Samples) -> bytes:
    return b"".join([render(metric, "office", series) for metric, series in samples])


def _registry(page: str) -> CollectorRegistry:
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(_Ready(text_string_to_metric_families(page)))
    return registry
