"""The page: records as text, in Prometheus' own format and in OpenMetrics.

Sample lines are the same in both formats; only what stands above a family differs. So a daemon's
lines are rendered once for each change of its record, those that go over all clients once for
each poll, and a scrape joins ready bytes.
"""

import contextlib
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from exporter.daemon.record import Record
from exporter.daemon.turns import give_way
from exporter.metrics.metric import Family, Kind, Metric, Sample

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

    async def prepare(self, record: Record) -> None:
        """Render a record that was just polled, so that the next scrape finds ready text.

        Hands back to the event loop after each family that goes over all clients.
        """
        for family in self._families:
            self._chunk(family, record)
            if family.per_client:
                await give_way()

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
        key = (family.metric.name, record.name)
        age = record.polls if family.per_client else record.changes
        rendered_at, chunk = self._rendered.get(key, (-1, b""))
        if rendered_at != age:
            chunk = render(family.metric, record.name, family.samples(record))
            self._rendered[key] = (age, chunk)
        return chunk


def _choose(accept: str) -> tuple[Encoder, str]:
    """Choose the first format asked for that is written here, else plain text 0.0.4."""
    for asked in accept.split(","):
        # prometheus_client 0.26 fails on a version that is no number and promises any high one.
        with contextlib.suppress(TypeError, ValueError):
            encoder, content_type = choose_encoder(asked)
            if content_type in _CONTENT_TYPES:
                return encoder, content_type
    return choose_encoder("")


def _is_named(metric: Metric, names: Collection[str]) -> bool:
    """Tell whether a family is asked for: by its name, or by that of one of its samples."""
    own = {metric.name, _family_name(metric)}
    if metric.kind is Kind.HISTOGRAM:
        own.update(f"{metric.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
    return not own.isdisjoint(names)


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
    if metric.kind is Kind.HISTOGRAM:
        lines = list(_histogram_lines(metric, escape(daemon), samples))
    elif not metric.labels:
        lines = [f"{start}}} {_number(value)}\n" for _, value in samples]
    elif len(metric.labels) == 1:
        start += f',{metric.labels[0]}="'
        lines = [
            # Nearly all of these are whole numbers, and a call for each would show.
            f'{start}{escape(label)}"}} {value if type(value) is int else _number(value)}\n'
            for (label,), value in samples
        ]
    else:
        lines = [
            f"{start}{_labels(metric.labels, labels)}}} {_number(value)}\n"
            for labels, value in samples
        ]
    return "".join(lines).encode()


def _histogram_lines(metric: Metric, daemon: str, samples: Iterable[Sample]) -> Iterator[str]:
    for (suffix, bound), value in samples:
        limit = f',le="{bound}"' if bound else ""
        yield f'{metric.name}{suffix}{{daemon="{daemon}"{limit}}} {_number(value)}\n'


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    joined = "".join(values)
    if "\\" in joined or '"' in joined or "\n" in joined:
        values = tuple(escape(value) for value in values)
    return _template(names, tuple(map(bool, values))) % values


@functools.cache
def _template(names: tuple[str, ...], present: tuple[bool, ...]) -> str:
    """Return the format of a label set; an empty label is the same as none."""
    return "".join(
        f',{name}="%s"' if there else "%.0s" for name, there in zip(names, present, strict=True)
    )


def escape(value: str) -> str:
    """Escape a label value, by the rules that both formats share."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def _number(value: float) -> str:
    return f"{value:d}" if isinstance(value, int) else repr(value)
