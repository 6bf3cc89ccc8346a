"""Samples as lines of text: the same in both formats.

This is where a page of ten thousand clients takes its time, so a family is written in one go.
"""

import functools
from collections.abc import Iterable, Iterator

from exporter.metrics.metric import Kind, Metric, Sample


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
