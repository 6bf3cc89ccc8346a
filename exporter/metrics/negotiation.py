"""Which format a page is written in, and what stands above a family in it."""

import contextlib
import functools
from collections.abc import Callable

import msgspec
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from exporter.metrics.family import Kind, Metric

Encoder = Callable[[Collector], bytes]

_OPENMETRICS = "application/openmetrics-text"

_ESCAPING = ("allow-utf-8", "underscores", "dots", "values")
"""All the same to us: our names need none."""

_CONTENT_TYPES = frozenset(
    {
        f"{_OPENMETRICS}; version=1.0.0; charset=utf-8",
        *(
            f"{kind}; version=1.0.0; charset=utf-8; escaping={scheme}"
            for kind in (_OPENMETRICS, "text/plain")
            for scheme in _ESCAPING
        ),
    }
)
"""What is written here besides plain text 0.0.4."""


class Format(msgspec.Struct, frozen=True):
    """A format by its Content-Type, and prometheus_client's function that writes it."""

    content_type: str
    encode: Encoder

    @property
    def openmetrics(self) -> bool:
        """Whether it is OpenMetrics rather than Prometheus' own."""
        return self.content_type.startswith(_OPENMETRICS)


def negotiate(accept: str) -> Format:
    """Choose the first format asked for that is written here, else plain text 0.0.4."""
    for asked in accept.split(","):
        # prometheus_client 0.26 fails on a version that is no number and promises any high one.
        with contextlib.suppress(TypeError, ValueError):
            encode, content_type = choose_encoder(asked)
            if content_type in _CONTENT_TYPES:
                return Format(content_type, encode)
    encode, content_type = choose_encoder("")
    return Format(content_type, encode)


def family_name(metric: Metric) -> str:
    """Return the name without its suffix, as OpenMetrics names the family."""
    match metric.kind:
        case Kind.COUNTER:
            return metric.name.removesuffix("_total")
        case Kind.INFO:
            return metric.name.removesuffix("_info")
        case _:
            return metric.name


@functools.cache
def help_and_type(metric: Metric, *, openmetrics: bool) -> bytes:
    """Return the HELP and TYPE lines of a family."""
    text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        name, kind = family_name(metric), metric.kind
        text = text.replace('"', '\\"')
    else:
        name = metric.name
        kind = Kind.GAUGE if metric.kind is Kind.INFO else metric.kind
    return f"# HELP {name} {text}\n# TYPE {name} {kind.value}\n".encode()
