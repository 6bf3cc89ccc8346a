"""A metric, and where the samples of its family come from."""

import enum
import operator
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

import msgspec

from exporter.management.status import ClientRow
from exporter.state.client_session import ClientSession
from exporter.state.counters import Histogram
from exporter.state.daemon import DaemonState
from exporter.state.port_probes import PortProbes
from exporter.state.privacy import Privacy

LabelValues = str | tuple[str, ...]
"""The values of a metric's labels, in order; a plain string for a single label."""

LabelledValues = Mapping[str, float] | Mapping[tuple[str, ...], float]
"""Values by label values."""

Samples = float | Histogram | LabelledValues | None
"""The samples of one daemon in a family, without the label `daemon`.

A number where the metric has no labels, values by label values where it has some, None where the
value is unknown.
"""

Collect = Callable[[DaemonState], Samples]
"""Returns the samples of a small family."""


class CollectPorts(msgspec.Struct, frozen=True):
    """The samples of a small family about ports, of a daemon or without one."""

    collect: Callable[[PortProbes], Samples]


class MetricType(enum.StrEnum):
    """The type of a metric; an info is a gauge in the text format, which has no infos."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    HISTOGRAM = "histogram"


class Metric(msgspec.Struct, frozen=True):
    """A metric by its full name (`…_total`, `…_info`), without its samples.

    `common`: many daemons have the same samples, as they have the same files.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    common: bool = False


class PerClientValues(msgspec.Struct, frozen=True):
    """A value for each client; None where a client has none.

    Several families share the clients, whose names are formatted and escaped once for all.
    """

    clients: Callable[[DaemonState], Mapping[str, Any]]
    """Returns the clients by name."""
    value: Callable[[Any], float | None]


class PerSessionInfo(msgspec.Struct, frozen=True):
    """The label values of an info with a sample per session, made from the session and its row.

    A session keeps its row object while nothing but the counters of the row change, and the same
    session with the same row has the same labels: so only new lines are formatted. The last label
    of the metric is not made from them: it numbers the samples whose other labels are equal, from
    the second on. So a session that ends and begins anew has the same series, and two sessions
    have two.
    """

    sessions: Callable[[DaemonState], Iterable[ClientSession]]
    labels: Callable[[Privacy, ClientSession, ClientRow], tuple[str, ...]]


class PerClientSamples(msgspec.Struct, frozen=True):
    """Samples that are collected from all clients or routes, with a yield after each batch."""

    collect: Callable[[DaemonState], Generator[None, None, LabelledValues]]


PerClient = PerClientValues | PerSessionInfo | PerClientSamples
"""The source of a large family: it changes only with a poll, and is rendered once for each."""


Inputs = Callable[[DaemonState], object]
"""Returns a value that changes whenever the samples of a family may have changed."""


class Family(msgspec.Struct, frozen=True):
    """A metric of daemons, and the source of its samples.

    `while_up` families have no samples while the daemon is down. Text is rendered again when
    `inputs` returns another value; see `inputs_of` for the default.
    """

    metric: Metric
    source: Collect | CollectPorts | PerClient
    while_up: bool = True
    inputs: Inputs | None = None


def inputs_of(family: Family) -> Inputs:
    """Return the function whose value changes whenever the samples of a family may have changed.

    Most small families have one sample, which hardly ever changes: it is its own input.
    """
    if family.inputs is not None:
        return family.inputs
    source, metric = family.source, family.metric
    if isinstance(source, PerClient):
        return operator.attrgetter("client_revision")
    if isinstance(source, CollectPorts):
        return operator.attrgetter("port_probes.revision")
    if metric.labels or metric.type is MetricType.HISTOGRAM:
        return operator.attrgetter("revision")
    return source


def gauge(
    name: str,
    text: str,
    source: Collect | CollectPorts | PerClientValues | PerClientSamples,
    *,
    labels: tuple[str, ...] = (),
    common: bool = False,
    while_up: bool = True,
    inputs: Inputs | None = None,
) -> Family:
    """Declare a gauge."""
    metric = Metric(name, MetricType.GAUGE, text, labels, common)
    return Family(metric, source, while_up=while_up, inputs=inputs)


def counter(
    name: str,
    text: str,
    source: Collect | CollectPorts | PerClientValues,
    *,
    labels: tuple[str, ...] = (),
    inputs: Inputs | None = None,
) -> Family:
    """Declare a counter; it stays while the daemon is down."""
    return Family(
        Metric(name, MetricType.COUNTER, text, labels), source, while_up=False, inputs=inputs
    )


def info(
    name: str,
    text: str,
    source: Collect | PerSessionInfo,
    *,
    labels: tuple[str, ...],
    inputs: Inputs | None = None,
) -> Family:
    """Declare an info: a constant 1 with labels to join on."""
    return Family(Metric(name, MetricType.INFO, text, labels), source, inputs=inputs)


def histogram(
    name: str,
    text: str,
    source: Callable[[DaemonState], Histogram | None],
    *,
    inputs: Inputs | None = None,
) -> Family:
    """Declare a histogram; it stays while the daemon is down."""
    return Family(Metric(name, MetricType.HISTOGRAM, text), source, while_up=False, inputs=inputs)
