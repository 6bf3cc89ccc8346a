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
        replies = [capture_status(address).splitlines() for _ in range(effort.calls)]
    first = [_page_time(replies[0], Subject()) for _ in range(effort.calls)]
    subject = Subject()
    _page_time(replies[0], subject)
    ours = [_page_time(reply, subject) for reply in replies]
    count = sum(len(list(family.samples(subject.record))) for family in subject.families)
    say("prometheus_client reads the page and renders it")
    registry = _registry(subject.page().decode())
    theirs = [processor_time(lambda: generate_latest(registry)) for _ in range(effort.calls)]
    ratio = _ratio(theirs, ours)
    return [
        Figure(
            what=f"rendering {_CLIENTS:,} clients ({count:,} samples) after a poll",
            measured=spread(ours),
            reference=f"generate_latest {spread(theirs)}",
            ratio=times(ratio),
            bound=at_least(ratio, _LIMIT, "x"),
        ),
        Figure(
            what="likewise, after the first poll",
            measured=spread(first),
            reference="generate_latest as before",
            ratio=times(_ratio(theirs, first)),
        ),
    ]


def _ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return statistics.median(above) / statistics.median(below)


def _page_time(reply: Sequence[bytes], subject: Subject) -> float:
    """Return how long the first page after a poll takes, samples taken from the record included."""
    subject.read(reply)
    return processor_time(subject.render)


def _registry(page: str) -> CollectorRegistry:
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(_Ready(text_string_to_metric_families(page)))
    return registry
