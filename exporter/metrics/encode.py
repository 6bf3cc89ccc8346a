"""Sample lines, the same in both text formats: the hot path of the page.

10,000 clients have 60,000 lines after each poll, so no line has a function call of its own where
one call for all lines does. The info lines of sessions, with ten labels each, hardly ever change:
they are formatted once and kept. All functions take the name of the daemon escaped.
"""

import functools
import math
from array import array
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from exporter.management.batches import release, row_batches
from exporter.metrics.family import LabelledValues, LabelValues, Metric, PerClientInfo, Samples
from exporter.state.counters import Histogram
from exporter.state.privacy import Privacy

CHUNK_SIZE = 2000
"""Samples that are rendered at once: 1 to 2 ms."""

_C = TypeVar("_C")

_ColumnChunk = tuple[Sequence[float | None], bytes]
"""The values of some clients, and their text."""

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


class ColumnLines:
    """The lines of one daemon in a family with a value for each client.

    Most columns change little: a chunk of the same names and values keeps its text.
    """

    def __init__(self, metric: Metric, daemon: str) -> None:
        self._start = f'{metric.name}{{daemon="{daemon}",{metric.labels[0]}="'
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
                chunks.append((values, self._text(names[at:end], values)))
            yield
        self._names, self._chunks = names, chunks
        return [text for _, text in chunks]

    def _text(self, names: Sequence[str], values: Sequence[float | None]) -> bytes:
        start, pairs = self._start, zip(names, values, strict=True)
        if set(map(type, values)) == {int}:
            lines = [f'{start}{name}"}} {number}\n' for name, number in pairs]
        else:
            lines = [
                f'{start}{name}"}} {_decimal(number)}\n'
                for name, number in pairs
                if number is not None
            ]
        return "".join(lines).encode()


class _InfoChunk(NamedTuple):
    """Keys, and their lines as one text: so the lines are in memory once."""

    keys: tuple[Hashable, ...]
    text: bytes = b""
    hashes: "array[int]" = array("q")
    """The hashes of the lines: if all differ, no two lines are equal."""

    @property
    def lines(self) -> Iterable[bytes]:
        """The lines one by one, with their ends: a label value has none."""
        return map(b"%b\n".__mod__, self.text.split(b"\n")[:-1])


class InfoLines:
    """The lines of one daemon in an info family, kept as long as their keys stay.

    Most polls change few keys or none: a chunk of the same keys keeps its text.
    """

    def __init__(
        self, metric: Metric, daemon: str, source: PerClientInfo, *, privacy: Privacy
    ) -> None:
        self._start = f'{metric.name}{{daemon="{daemon}"'
        self._names, self._number = metric.labels[:-1], metric.labels[-1]
        self._source = source
        self.privacy = privacy
        self._chunks: list[_InfoChunk] = []
        self._parts: list[bytes] = []

    def render_chunks(self, keys: Iterable[Hashable]) -> Generator[None, None, list[bytes]]:
        """Return a line for each of these keys, in parts; pause after each chunk.

        A line that is equal to an earlier one has a number. During a pause another rendering may
        end, and empty `last`.
        """
        last, last_parts, chunks = self._chunks, self._parts, list[_InfoChunk]()
        size, kept = len(last), 0
        for number, batch in enumerate(map(tuple, row_batches(keys))):
            is_same = number < len(last) and batch == last[number].keys
            chunks.append(last[number] if is_same else _InfoChunk(batch))
            kept += is_same
            yield
        if kept == len(chunks) == size:
            return last_parts
        yield from self._fill(chunks, last)
        parts = yield from self._join(chunks)
        self._chunks, self._parts = chunks, parts
        while last:  # it takes long to free many keys at once
            last.pop()
            yield
        return parts

    def _fill(
        self, chunks: list[_InfoChunk], last: Sequence[_InfoChunk]
    ) -> Generator[None, None, None]:
        """Add their lines to the chunks that have none, pausing after each."""
        kept = {id(chunk) for chunk in chunks}
        known: dict[Hashable, bytes] = {}
        for chunk in last:
            if id(chunk) not in kept:
                known.update(zip(chunk.keys, chunk.lines, strict=True))
                yield
        for number, chunk in enumerate(chunks):
            if not chunk.text:
                lines = [known.get(key) or self._line(key) for key in chunk.keys]
                chunks[number] = _InfoChunk(
                    chunk.keys, b"".join(lines), array("q", map(hash, lines))
                )
                yield
        yield from release(known)

    def _join(self, chunks: Sequence[_InfoChunk]) -> Generator[None, None, list[bytes]]:
        """Return the text of the chunks, pausing after each; number equal lines."""
        hashes: set[int] = set()
        for chunk in chunks:
            hashes.update(chunk.hashes)
            yield
        if len(hashes) == sum(len(chunk.hashes) for chunk in chunks):
            return [chunk.text for chunk in chunks]
        counts: Counter[bytes] = Counter()
        parts: list[bytes] = []
        for chunk in chunks:
            numbered: list[bytes] = []
            for line in chunk.lines:
                counts[line] += 1
                numbered.append(line if counts[line] == 1 else self._numbered(line, counts[line]))
            text = b"".join(numbered)
            parts.append(chunk.text if text == chunk.text else text)
            yield
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
