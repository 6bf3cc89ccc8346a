"""The page: records as text, in Prometheus' own format and in OpenMetrics.

Sample lines are the same in both formats; only what stands above a family differs. So the lines
of per-client families are rendered once per poll and daemon, and a scrape joins ready bytes.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from exporter.daemon.record import Record
from exporter.metrics.metric import Family, Kind, Metric, Sample

Encoder = Callable[[Collector], bytes]

_OPENMETRICS = "application/openmetrics-text"


class Page(msgspec.Struct, frozen=True):
    """A rendered page and its Content-Type."""

    body: bytes
    content_type: str


class Exposition:
    """Renders the records of all daemons, followed by a registry of prometheus_client's."""

    def __init__(self, families: Sequence[Family], registry: CollectorRegistry) -> None:
        """Render these families, in this order, and what `registry` collects."""
        self._families = families
        self._registry = registry
        self._rendered: dict[tuple[str, str], tuple[int, bytes]] = {}

    def page(
        self, records: Sequence[Record], *, accept: str = "", names: Collection[str] = ()
    ) -> Page:
        """Render a page.

        Args:
            records: the daemons.
            accept: the request's Accept header; OpenMetrics only where it asks for that.
            names: metric names to restrict the page to (`name[]`); all where empty.
        """
        encoder, content_type = _choose(accept)
        openmetrics = content_type.startswith(_OPENMETRICS)
        chunks = [
            chunk
            for family in self._families
            if not names or _is_named(family.metric, names)
            for chunk in self._family(family, records, openmetrics=openmetrics)
        ]
        chunks.append(encoder(self._own(names)))
        return Page(b"".join(chunks), content_type)

    def _own(self, names: Collection[str]) -> Collector:
        if names:
            return self._registry.restricted_registry(list(names))
        return self._registry

    def _family(
        self, family: Family, records: Iterable[Record], *, openmetrics: bool
    ) -> list[bytes]:
        chunks = [chunk for record in records if (chunk := self._chunk(family, record))]
        return [head(family.metric, openmetrics=openmetrics), *chunks] if chunks else []

    def _chunk(self, family: Family, record: Record) -> bytes:
        if family.while_up and not record.management_up:
            return b""
        if not family.per_client:
            return render(family.metric, record.name, family.samples(record))
        key = (family.metric.name, record.name)
        polls, chunk = self._rendered.get(key, (-1, b""))
        if polls != record.polls:
            chunk = render(family.metric, record.name, family.samples(record))
            self._rendered[key] = (record.polls, chunk)
        return chunk


def _choose(accept: str) -> tuple[Encoder, str]:
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # prometheus_client 0.26: a version that is no number
        return choose_encoder("")


def _is_named(metric: Metric, names: Collection[str]) -> bool:
    return metric.name in names or _family_name(metric) in names


def _family_name(metric: Metric) -> str:
    """Return the name without its suffix, as OpenMetrics names the family."""
    match metric.kind:
        case Kind.COUNTER:
            return metric.name.removesuffix("_total")
        case Kind.INFO:
            return metric.name.removesuffix("_info")
        case _:
            return metric.name


def head(metric: Metric, *, openmetrics: bool) -> bytes:
    """Return the HELP and TYPE lines of a family."""
    if openmetrics:
        name, kind = _family_name(metric), metric.kind.value
        text = escape(metric.help)
    else:
        name = metric.name
        kind = (Kind.GAUGE if metric.kind is Kind.INFO else metric.kind).value
        text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode()


def render(metric: Metric, daemon: str, samples: Iterable[Sample]) -> bytes:
    """Return the sample lines of one daemon in a family."""
    start = f'{metric.name}{{daemon="{escape(daemon)}"'
    if not metric.labels:
        lines = [f"{start}}} {_number(value)}\n" for _, value in samples]
    elif len(metric.labels) == 1:
        start += f',{metric.labels[0]}="'
        lines = [f'{start}{escape(label)}"}} {_number(value)}\n' for (label,), value in samples]
    else:
        lines = [
            f"{start}{_labels(metric.labels, labels)}}} {_number(value)}\n"
            for labels, value in samples
        ]
    return "".join(lines).encode()


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    return "".join(
        f',{name}="{escape(value)}"' for name, value in zip(names, values, strict=True) if value
    )


def escape(value: str) -> str:
    """Escape a label value, by the rules that both formats share."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def _number(value: float) -> str:
    return f"{value:d}" if isinstance(value, int) else repr(value)
