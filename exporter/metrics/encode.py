"""Sample lines, the same in both text formats: the hot path of the page.

10,000 clients have 60,000 lines after each poll, so no line has a function call of its own where
one call for all lines does. The info lines of sessions, with ten labels each, hardly ever change:
they are formatted once and kept. All functions take the name of the daemon escaped.
"""

import functools
import math
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from typing import TypeVar

from exporter.management.batches import release, row_batches
from exporter.metrics.family import LabelledValues, LabelValues, Metric, PerClientInfo, Samples
from exporter.state.counters import Histogram
from exporter.state.privacy import Privacy

CHUNK_SIZE = 2000
"""Samples that are rendered at once: 1 to 2 ms."""

_C = TypeVar("_C")

_INFO_END = b"} 1\n"


def render(metric: Metric, daemon: str, samples: Samples) -> bytes:
    """Return the sample lines of one daemon in a small family."""
    start = f'{metric.name}{{daemon="{daemon}"'
    match samples:
        case None:
            return b""
        case int() | float():
            return f"{start}}} {+samples!r}\n".encode()  # the + makes an int of a bool
        case Histogram():
            return _histogram_lines(metric, daemon, samples).encode()
        case _:
            lines = [
                f"{start}{_cached_labels(metric.labels, values)}}} {+value!r}\n"
                for values, value in samples.items()
            ]
            return "".join(lines).encode()


def _histogram_lines(metric: Metric, daemon: str, histogram: Histogram) -> str:
    name, label = metric.name, f'daemon="{daemon}"'
    counts = histogram.cumulative
    bounds = ["+Inf" if math.isinf(bound) else repr(float(bound)) for bound in histogram.bounds]
    lines = [
        f'{name}_bucket{{{label},le="{bound}"}} {count}\n'
        for bound, count in zip(bounds, counts, strict=True)
    ]
    lines.append(f"{name}_sum{{{label}}} {histogram.sum!r}\n")
    lines.append(f"{name}_count{{{label}}} {counts[-1]}\n")
    return "".join(lines)


def render_chunks(
    metric: Metric, daemon: str, samples: LabelledValues
) -> Generator[None, None, list[bytes]]:
    """Return the lines of a large family, in parts; pause after each chunk."""
    start = f'{metric.name}{{daemon="{daemon}"'
    items = list[tuple[LabelValues, float]](samples.items())
    parts: list[bytes] = []
    for at in range(0, len(items), CHUNK_SIZE):
        lines = [
            f"{start}{_format_labels(metric.labels, values)}}} {+value!r}\n"
            for values, value in items[at : at + CHUNK_SIZE]
        ]
        parts.append("".join(lines).encode())
        yield
    return parts


def render_column(
    metric: Metric,
    daemon: str,
    *,
    names: Sequence[str],
    clients: Sequence[_C],
    value: Callable[[_C], float | None],
) -> Generator[None, None, list[bytes]]:
    """Return a line for each client with a value, in parts; pause after each chunk.

    `names` are the escaped names of the clients, in their order.
    """
    start = f'{metric.name}{{daemon="{daemon}",{metric.labels[0]}="'
    parts: list[bytes] = []
    for at in range(0, len(names), CHUNK_SIZE):
        values = map(value, clients[at : at + CHUNK_SIZE])
        lines = [
            f'{start}{name}"}} {number if type(number) is int else _decimal(number)}\n'
            for name, number in zip(names[at : at + CHUNK_SIZE], values, strict=True)
            if number is not None
        ]
        parts.append("".join(lines).encode())
        yield
    return parts


class InfoLines:
    """The lines of one daemon in an info family, kept as long as their keys stay."""

    def __init__(
        self, metric: Metric, daemon: str, source: PerClientInfo, *, privacy: Privacy
    ) -> None:
        self._start = f'{metric.name}{{daemon="{daemon}"'
        self._names, self._number = metric.labels[:-1], metric.labels[-1]
        self._source = source
        self.privacy = privacy
        self._lines: dict[Hashable, bytes] = {}

    def render_chunks(self, keys: Iterable[Hashable]) -> Generator[None, None, list[bytes]]:
        """Return a line for each of these keys, in parts; pause after each chunk.

        A line that is equal to an earlier one has a number.
        """
        cached, by_key = self._lines, dict[Hashable, bytes]()
        counts: dict[bytes, int] = {}
        parts: list[bytes] = []
        for batch in row_batches(keys):
            lines: list[bytes] = []
            for key in batch:
                line = cached.pop(key, b"") or by_key.get(key) or self._line(key)
                by_key[key] = line
                count = counts[line] = counts.get(line, 0) + 1
                lines.append(line if count == 1 else self._numbered(line, count))
            parts.append(b"".join(lines))
            yield
        self._lines = by_key
        yield from release(cached)
        return parts

    def _numbered(self, line: bytes, number: int) -> bytes:
        label = f',{self._number}="{number}"'.encode()
        return line.removesuffix(_INFO_END) + label + _INFO_END

    def _line(self, key: Hashable) -> bytes:
        labels = _format_labels(self._names, self._source.labels(self.privacy, key))
        return f"{self._start}{labels}".encode() + _INFO_END


def _format_labels(names: tuple[str, ...], values: LabelValues) -> str:
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


_cached_labels = functools.lru_cache(maxsize=1024)(_format_labels)
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
