"""Content negotiation: the text format of a page, and its HELP and TYPE lines."""

import contextlib
import functools
from collections.abc import Callable

import msgspec
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from exporter.metrics.family import Metric, MetricType

Encoder = Callable[[Collector], bytes]

_OPENMETRICS = "application/openmetrics-text"

_ESCAPING = ("allow-utf-8", "underscores", "dots", "values")
"""All of them leave the names of these metrics as they are."""

_CONTENT_TYPES = frozenset(
    {
        f"{_OPENMETRICS}; version=1.0.0; charset=utf-8",
        *(
            f"{media_type}; version=1.0.0; charset=utf-8; escaping={scheme}"
            for media_type in (_OPENMETRICS, "text/plain")
            for scheme in _ESCAPING
        ),
    }
)
"""The supported formats besides plain text 0.0.4."""


class Format(msgspec.Struct, frozen=True):
    """A text format: its Content-Type, and prometheus_client's encoder for it."""

    content_type: str
    encode: Encoder

    @property
    def openmetrics(self) -> bool:
        """Whether the format is OpenMetrics, else it is Prometheus' text format."""
        return self.content_type.startswith(_OPENMETRICS)


def negotiate(accept: str) -> Format:
    """Return the first supported format of an Accept header, else plain text 0.0.4."""
    for media_type in accept.split(","):
        # prometheus_client 0.26 raises if a version is not a number, and accepts any high one.
        with contextlib.suppress(TypeError, ValueError):
            encode, content_type = choose_encoder(media_type)
            if content_type in _CONTENT_TYPES:
                return Format(content_type, encode)
    encode, content_type = choose_encoder("")
    return Format(content_type, encode)


def family_name(metric: Metric) -> str:
    """Return the name without its suffix, as OpenMetrics names the family."""
    match metric.type:
        case MetricType.COUNTER:
            return metric.name.removesuffix("_total")
        case MetricType.INFO:
            return metric.name.removesuffix("_info")
        case _:
            return metric.name


@functools.cache
def help_and_type(metric: Metric, *, openmetrics: bool) -> bytes:
    """Return the HELP and TYPE lines of a family."""
    text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        name, metric_type = family_name(metric), metric.type
        text = text.replace('"', '\\"')
    else:
        name = metric.name
        metric_type = MetricType.GAUGE if metric.type is MetricType.INFO else metric.type
    return f"# HELP {name} {text}\n# TYPE {name} {metric_type.value}\n".encode()
