"""What one metric is, and where its samples come from."""

import enum
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from exporter.state.daemon import DaemonState
from exporter.state.histogram import Histogram

Sample = tuple[tuple[str, ...], float]
"""The values of the family's own labels, in order, and the value. `daemon` is added later."""


class Kind(enum.StrEnum):
    """The kind of a metric; an info is a gauge in the text format, which knows no infos."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    HISTOGRAM = "histogram"


class Metric(msgspec.Struct, frozen=True):
    """A metric by its full name (`…_total`, `…_info`), without its samples."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


class InfoSource(msgspec.Struct, frozen=True):
    """How a record's many things are described: from facts, which hardly change, by labels.

    Equal facts have equal labels. Facts are quickly had and compared, so that a description is
    only put into words when it is new.
    """

    keys: Callable[[DaemonState], Iterable[Hashable]]
    labels: Callable[[Any], tuple[str, ...]]

    def samples(self, daemon: DaemonState) -> Iterable[Sample]:
        """Give a 1 for each description; different facts may have the same."""
        return [(labels, 1) for labels in dict.fromkeys(map(self.labels, self.keys(daemon)))]


class PerClientValues(msgspec.Struct, frozen=True):
    """A value for each of a record's many names; None where a name has none.

    Several families share the names, so that they are put into words once for all.
    """

    names: Callable[[DaemonState], Sequence[str]]
    values: Callable[[DaemonState], Sequence[float | None]]

    def samples(self, daemon: DaemonState) -> Iterable[Sample]:
        """Give a sample for each name that has a value."""
        pairs = zip(self.names(daemon), self.values(daemon), strict=True)
        return [((name,), value) for name, value in pairs if value is not None]


class Family(msgspec.Struct, frozen=True):
    """A metric of daemons, and how a record gives its samples.

    `while_up` families have no samples while the daemon's management session doesn't work.
    `per_client` families take the work of going over all clients: they only change with a poll,
    and are rendered once for each. `source` is where their samples come from, if one is quicker.
    """

    metric: Metric
    samples: Callable[[DaemonState], Iterable[Sample]]
    while_up: bool = True
    per_client: bool = False
    source: InfoSource | PerClientValues | None = None


def single(value: float | None) -> Iterable[Sample]:
    """Give the only sample of a family, none where nothing is known."""
    return () if value is None else (((), value),)


_K = TypeVar("_K", bound=enum.StrEnum)


def by_label(counts: Mapping[str, int]) -> Iterable[Sample]:
    """Give one sample for each label value that is counted."""
    return [((value,), count) for value, count in counts.items()]


def state_set(values: Iterable[_K], current: _K | None) -> Iterable[Sample]:
    """Give one sample for each possible value: 1 for the current one, else 0."""
    return [((value.value,), int(value is current)) for value in values]


def gauge(
    name: str,
    text: str,
    samples: Callable[[DaemonState], Iterable[Sample]],
    *,
    labels: tuple[str, ...] = (),
    while_up: bool = True,
    per_client: bool = False,
) -> Family:
    """Declare a gauge."""
    metric = Metric(name, Kind.GAUGE, text, labels)
    return Family(metric, samples, while_up=while_up, per_client=per_client)


def counter(
    name: str,
    text: str,
    samples: Callable[[DaemonState], Iterable[Sample]],
    *,
    labels: tuple[str, ...] = (),
    per_client: bool = False,
) -> Family:
    """Declare a counter; it stays when the daemon is down."""
    metric = Metric(name, Kind.COUNTER, text, labels)
    return Family(metric, samples, while_up=False, per_client=per_client)


def info(
    name: str,
    text: str,
    samples: Callable[[DaemonState], Iterable[Sample]],
    *,
    labels: tuple[str, ...],
) -> Family:
    """Declare an info: a constant 1 that carries labels to join on."""
    return Family(Metric(name, Kind.INFO, text, labels), samples)


def client_info(
    name: str, text: str, description: InfoSource, *, labels: tuple[str, ...]
) -> Family:
    """Declare an info that there is for each client."""
    return Family(
        Metric(name, Kind.INFO, text, labels),
        description.samples,
        per_client=True,
        source=description,
    )


def client_counter(name: str, text: str, column: PerClientValues, *, label: str) -> Family:
    """Declare a counter that there is for each client; it stays when the daemon is down."""
    metric = Metric(name, Kind.COUNTER, text, (label,))
    return Family(metric, column.samples, while_up=False, per_client=True, source=column)


def client_gauge(name: str, text: str, column: PerClientValues, *, label: str) -> Family:
    """Declare a gauge that there is for each client."""
    metric = Metric(name, Kind.GAUGE, text, (label,))
    return Family(metric, column.samples, per_client=True, source=column)


def histogram(name: str, text: str, value: Callable[[DaemonState], Histogram | None]) -> Family:
    """Declare a histogram; it stays when the daemon is down.

    Its samples' labels are the suffix of the sample's name and the upper bound `le`.
    """

    def samples(daemon: DaemonState) -> Iterable[Sample]:
        distribution = value(daemon)
        if distribution is None:
            return
        counts = distribution.cumulative
        for bound, count in zip(distribution.bounds, counts, strict=True):
            yield ("_bucket", "+Inf" if math.isinf(bound) else repr(float(bound))), count
        yield ("_sum", ""), distribution.sum
        yield ("_count", ""), counts[-1]

    return Family(Metric(name, Kind.HISTOGRAM, text), samples, while_up=False)
