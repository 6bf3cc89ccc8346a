"""Sample lines, the same in both text formats: the hot path of the page.

10,000 clients have 60,000 lines after each poll, so no line has a function call of its own where
one call for all lines does. All functions take the name of the daemon escaped.
"""

import functools
import math
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from exporter.metrics.family import LabelledValues, LabelValues, Metric, Samples
from exporter.state.counters import Histogram

CHUNK_SIZE = 2000
"""Samples that are rendered at once: 1 to 2 ms."""

_C = TypeVar("_C")

_ColumnChunk = tuple[tuple[float | None, ...], bytes]
"""The values of some clients, and their text."""

Lines = tuple[bytes, ...]
"""The sample lines of one daemon in a small family, cut where the label of the daemon is.

`daemon_label` joins them. Nearly all values are 0 or 1, so that nearly all parts are the same
objects for all daemons: a thousand lines of each are in memory once. Lines with a value for each
client are one text instead, which `with_starts` completes.
"""

_COMMON = frozenset({0, 1})


def daemon_label(daemon: str) -> bytes:
    """Return what each line of a daemon has behind the name of the metric."""
    return f'{{daemon="{daemon}"'.encode()


def render(metric: Metric, samples: Samples) -> Lines:
    """Return the sample lines of one daemon in a small family."""
    match samples:
        case None:
            return ()
        case int() | float():
            number = +samples  # makes an int of a bool
            return (_common_line if number in _COMMON else _line)(metric.name, number)
        case Histogram():
            return _histogram_lines(metric.name, samples)
        case _:
            name, names = metric.name, metric.labels
            labels = [_cached_labels(names, values) for values in samples]
            if not labels:
                return ()
            lines = _cut([name] * len(labels), labels, list(samples.values()))
            return _common_lines(lines) if metric.common else lines


def _line(name: str, value: float) -> Lines:
    return _common_part(name), f"}} {value!r}\n".encode()


def _histogram_lines(name: str, histogram: Histogram) -> Lines:
    counts = histogram.cumulative
    bounds = ["+Inf" if math.isinf(bound) else repr(float(bound)) for bound in histogram.bounds]
    return _cut(
        [*[f"{name}_bucket"] * len(bounds), f"{name}_sum", f"{name}_count"],
        [*[f',le="{bound}"' for bound in bounds], "", ""],
        [*counts, histogram.sum, counts[-1]],
    )


def _cut(names: Sequence[str], labels: Sequence[str], values: Sequence[float]) -> Lines:
    """Return lines with these names of metrics, labels and values."""
    parts = [
        (_common_part if value in _COMMON else str.encode)(f"{rest}}} {+value!r}\n{name}")
        for rest, value, name in zip(labels, values, [*names[1:], ""], strict=True)
    ]
    lines = _common_part(names[0]), *parts
    return _common_lines(lines) if set(values) <= _COMMON else lines


_common_line = functools.lru_cache(maxsize=512, typed=True)(_line)
_common_lines = functools.lru_cache(maxsize=256)(tuple[bytes, ...])
_common_part = functools.lru_cache(maxsize=1024)(str.encode)


def render_chunks(
    metric: Metric, daemon: str, samples: LabelledValues
) -> Generator[None, None, list[bytes]]:
    """Return the lines of a large family, in parts; pause after each chunk."""
    start = f'{metric.name}{{daemon="{daemon}"'
    items = list[tuple[LabelValues, float]](samples.items())
    parts: list[bytes] = []
    for at in range(0, len(items), CHUNK_SIZE):
        lines = [
            f"{start}{format_labels(metric.labels, values)}}} {+value!r}\n"
            for values, value in items[at : at + CHUNK_SIZE]
        ]
        parts.append("".join(lines).encode())
        yield
    return parts


class ColumnLines:
    """The lines of one daemon in a family with a value for each of very many clients.

    Most columns change little: a chunk of the same names and values keeps its text.
    """

    __slots__ = ("_chunks", "_daemon", "_metric", "_names")

    def __init__(self, metric: Metric, daemon: str) -> None:
        self._metric, self._daemon = metric, daemon
        self._names: Sequence[str] = ()
        self._chunks: list[_ColumnChunk] = []

    def render_chunks(
        self, names: Sequence[str], clients: Sequence[_C], value: Callable[[_C], float | None]
    ) -> Generator[None, None, list[bytes]]:
        """Return a line for each client with a value, in parts; pause after each chunk.

        `names` are the escaped names of the clients, in their order.
        """
        last_names, last, chunks = self._names, self._chunks, list[_ColumnChunk]()
        for number, at in enumerate(range(0, len(names), CHUNK_SIZE)):
            end = at + CHUNK_SIZE
            values = tuple(map(value, clients[at:end]))
            is_same = number < len(last) and last[number][0] == values
            if is_same and last_names[at:end] == names[at:end]:
                chunks.append(last[number])
            else:
                text = column_lines(self._metric, names[at:end], values, daemon=self._daemon)
                chunks.append((values, text))
            yield
        self._names, self._chunks = names, chunks
        return [text for _, text in chunks]


def column_lines(
    metric: Metric, names: Sequence[str], values: tuple[float | None, ...], *, daemon: str
) -> bytes:
    """Return a line for each client with a value; `names` are escaped."""
    start, end = f'{metric.name}{{daemon="{daemon}",{metric.labels[0]}="', '"} '
    if set(map(type, values)) == {int}:  # formatted all at once, in half the time
        between = f"{end}\n{start}"
        text = f"{start}{between.join(names)}{end}\n".encode()
        return text.replace(b"%", b"%%").replace(b"\n", b"%d\n") % values
    lines = [
        f"{start}{name}{end}{_decimal(number)}\n"
        for name, number in zip(names, values, strict=True)
        if number is not None
    ]
    return "".join(lines).encode()


def without_starts(text: bytes, start: bytes) -> Lines:
    """Return lines, each of which begins with `start`, without it; see `with_starts`."""
    return (text[len(start) : -1].replace(b"\n" + start, b"\n"),) if text else ()


def with_starts(lines: Lines, start: bytes) -> bytes:
    """Return the text of lines that were stored without what each of them begins with."""
    return b"".join([start + text.replace(b"\n", b"\n" + start) + b"\n" for text in lines])


def format_labels(names: tuple[str, ...], values: LabelValues) -> str:
    """Return the labels as they follow the first one; an empty label is the same as none."""
    if isinstance(values, str):
        values = (values,)
    if _needs_escape("".join(values)):
        values = tuple(map(escape, values))
    return _label_template(names, tuple(map(bool, values))) % values


@functools.lru_cache(maxsize=256)
def _label_template(names: tuple[str, ...], used: tuple[bool, ...]) -> str:
    pairs = zip(names, used, strict=True)
    return "".join([f',{name}="%s"' if is_used else "%.0s" for name, is_used in pairs])


_cached_labels = functools.lru_cache(maxsize=1024)(format_labels)
"""The labels of small families, nearly all of which are the same for all daemons."""


def escape_all(values: Sequence[str]) -> Sequence[str]:
    """Escape label values, nearly none of which need it."""
    return list(map(escape, values)) if _needs_escape("".join(values)) else values


def escape(value: str) -> str:
    """Escape a label value, by the rules that both formats share."""
    if _needs_escape(value):
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def _needs_escape(text: str) -> bool:
    return "\\" in text or '"' in text or "\n" in text


@functools.lru_cache(maxsize=64)
def _decimal(value: float) -> str:
    # The time of the last poll is the value of 10,000 samples.
    return repr(value)
