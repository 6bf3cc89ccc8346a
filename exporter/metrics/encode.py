"""Sample lines, the same in both text formats: the hot path of the page.

10,000 clients have 60,000 lines after each poll, so no line has a function call of its own where
one call for all lines does. The info lines of sessions, with ten labels each, hardly ever change:
they are formatted once and kept. All functions take the name of the daemon escaped.
"""

import functools
import math
from collections import Counter
from collections.abc import Generator, Hashable, Sequence

from exporter.metrics.family import LabelledValues, LabelValues, Metric, PerClientInfo, Samples
from exporter.state.counters import Histogram

CHUNK_SIZE = 2000
"""Samples that are rendered at once: 1 to 2 ms, 5 ms where all info lines are new."""

_INFO_PART = 500
"""Info lines in one part of a block."""

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
    """Return the lines of a large family, in parts; pause after each full chunk."""
    start = f'{metric.name}{{daemon="{daemon}"'
    items = list[tuple[LabelValues, float]](samples.items())
    parts: list[bytes] = []
    for at in range(0, len(items), CHUNK_SIZE):
        lines = [
            f"{start}{_format_labels(metric.labels, values)}}} {+value!r}\n"
            for values, value in items[at : at + CHUNK_SIZE]
        ]
        parts.append("".join(lines).encode())
        if at + CHUNK_SIZE <= len(items):
            yield
    return parts


def render_column(
    metric: Metric, daemon: str, *, names: Sequence[str], values: Sequence[float | None]
) -> Generator[None, None, list[bytes]]:
    """Return a line for each escaped name with a value, in parts; pause after each full chunk."""
    start = f'{metric.name}{{daemon="{daemon}",{metric.labels[0]}="'
    parts: list[bytes] = []
    for at in range(0, len(names), CHUNK_SIZE):
        pairs = zip(names[at : at + CHUNK_SIZE], values[at : at + CHUNK_SIZE], strict=True)
        lines = [
            f'{start}{name}"}} {value if type(value) is int else _decimal(value)}\n'
            for name, value in pairs
            if value is not None
        ]
        parts.append("".join(lines).encode())
        if at + CHUNK_SIZE <= len(names):
            yield
    return parts


class InfoLines:
    """The lines of one daemon in an info family, kept as long as their keys stay."""

    def __init__(self, metric: Metric, daemon: str, source: PerClientInfo) -> None:
        self._start = f'{metric.name}{{daemon="{daemon}"'
        self._names, self._number = metric.labels[:-1], metric.labels[-1]
        self._source = source
        self._lines: dict[Hashable, bytes] = {}

    def render_chunks(self, keys: Sequence[Hashable]) -> Generator[None, None, list[bytes]]:
        """Return a line for each of these keys, in parts; pause after each full chunk."""
        cached, by_key = self._lines, dict[Hashable, bytes]()
        lines: list[bytes] = []
        for start in range(0, len(keys), CHUNK_SIZE):
            chunk = keys[start : start + CHUNK_SIZE]
            lines += [cached.get(key) or self._line(key) for key in chunk]
            by_key.update(zip(chunk, lines[start:], strict=True))
            if start + CHUNK_SIZE <= len(keys):
                yield
        self._lines = by_key
        if len(set(lines)) < len(lines):
            lines = self._numbered(lines)
        return [b"".join(lines[at : at + _INFO_PART]) for at in range(0, len(lines), _INFO_PART)]

    def _numbered(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return the lines with a number in those that are equal to an earlier one."""
        counts: Counter[bytes] = Counter()
        numbered: list[bytes] = []
        for line in lines:
            counts[line] += 1
            number = f',{self._number}="{counts[line]}"'.encode() if counts[line] > 1 else b""
            numbered.append(line.removesuffix(_INFO_END) + number + _INFO_END)
        return numbered

    def _line(self, key: Hashable) -> bytes:
        labels = _format_labels(self._names, self._source.labels(key))
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
