"""Pages parsed by prometheus_client, in a form that can be compared."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client import Metric as ClientMetric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_plain
from prometheus_client.registry import Collector

from exporter.management.batches import run_batches
from exporter.metrics.exposition import Exposition
from exporter.metrics.family import (
    CollectPorts,
    Family,
    MetricType,
    PerClientSamples,
    PerClientValues,
    PerSessionInfo,
    Samples,
)
from exporter.state.counters import Histogram
from exporter.state.daemon import DaemonState

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

FORMATS = ("", OPENMETRICS)
"""Accept headers for both formats."""

Labels = frozenset[tuple[str, str]]


class Series(NamedTuple):
    """A sample without its value."""

    name: str
    labels: Labels


class Parsed(NamedTuple):
    """One family of a page; `samples` has every line, repetitions included.

    Values are floats as in Prometheus, which loses digits of integers above 2**53.
    """

    name: str
    kind: str
    help: str
    samples: tuple[tuple[Series, float], ...]


def parse(body: bytes, content_type: str) -> list[Parsed]:
    """Parse a page by its Content-Type."""
    text = body.decode()
    openmetrics = content_type.startswith("application/openmetrics-text")
    families: Iterable[ClientMetric]
    families = parse_openmetrics(text) if openmetrics else parse_plain(text)  # type: ignore[no-untyped-call]
    return [_parsed(family) for family in families]


def _parsed(family: ClientMetric) -> Parsed:
    samples = tuple(
        (Series(sample.name, _labels(sample.labels.items())), float(sample.value))
        for sample in family.samples
    )
    return Parsed(family.name, family.type, family.documentation, samples)


def _labels(labels: Iterable[tuple[str, str]]) -> Labels:
    """Return the labels without the empty ones, which Prometheus ignores."""
    return frozenset((name, value) for name, value in labels if value)


def all_series(families: Iterable[Parsed]) -> list[Series]:
    return [series for family in families for series, _ in family.samples]


def values(families: Iterable[Parsed]) -> dict[Series, float]:
    return {series: value for family in families for series, value in family.samples}


def scrape(families: Sequence[Family], daemons: Sequence[DaemonState], accept: str) -> list[Parsed]:
    """Return the parsed page of these families alone."""
    page = Exposition(families, CollectorRegistry()).page(daemons, accept=accept)
    return parse(page.body, page.content_type)


class ReferenceCollector(Collector):
    """The same samples, to be rendered by prometheus_client."""

    def __init__(self, families: Sequence[Family], daemons: Sequence[DaemonState]) -> None:
        self._families = families
        self._daemons = daemons

    def collect(self) -> Iterator[ClientMetric]:
        for family in self._families:
            metric = self._metric(family)
            if metric.samples:
                yield metric

    def _metric(self, family: Family) -> ClientMetric:
        kind, name = family.metric.type, family.metric.name
        suffix = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}.get(kind, "")
        metric = ClientMetric(name.removesuffix(suffix), family.metric.help, kind.value)
        for daemon in self._daemons:
            if family.while_up and not daemon.up:
                continue
            for suffix, labels, value in samples_of(family, daemon):
                metric.add_sample(name + suffix, {"daemon": daemon.name, **labels}, value)
        return metric


def samples_of(family: Family, daemon: DaemonState) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield suffix, labels and value of each sample, read without the exporter's encoder."""
    match family.source:
        case PerClientValues(clients, value_of):
            values = {
                daemon.privacy.name(name): value_of(client)
                for name, client in clients(daemon).items()
            }
            samples: Samples = {name: value for name, value in values.items() if value is not None}
        case PerSessionInfo(sessions, labels):
            samples = dict.fromkeys(
                numbered(
                    labels(daemon.privacy, session, session.last_row)
                    for session in sessions(daemon)
                ),
                1,
            )
        case PerClientSamples(collect):
            samples = run_batches(collect(daemon))
        case CollectPorts(collect):
            samples = collect(daemon.port_probes)
        case collect:
            samples = collect(daemon)
    match samples:
        case None:
            return
        case Histogram():
            for bound, count in zip(samples.bounds, samples.cumulative, strict=True):
                yield "_bucket", {"le": "+Inf" if math.isinf(bound) else repr(float(bound))}, count
            yield "_sum", {}, samples.sum
            yield "_count", {}, samples.cumulative[-1]
        case int() | float():
            yield "", {}, samples
        case _:
            for label_values, value in samples.items():
                texts = (label_values,) if isinstance(label_values, str) else label_values
                yield "", dict(zip(family.metric.labels, texts, strict=True)), value


def numbered(labels: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield the labels of each session, with its number among those that are equal, from 2."""
    counts: Counter[tuple[str, ...]] = Counter()
    for values in labels:
        counts[values] += 1
        yield (*values, str(counts[values]) if counts[values] > 1 else "")


def names_of(family: Family) -> set[str]:
    """Return the names that the samples of a family have."""
    name = family.metric.name
    if family.metric.type is MetricType.HISTOGRAM:
        return {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return {name}
