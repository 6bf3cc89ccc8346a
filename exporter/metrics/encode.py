"""Sample lines, the same in both text formats: the hot path of the page.

10,000 clients have 60,000 lines after each poll, so no line has a function call of its own where
one call for all lines does. The info lines of sessions, with ten labels each, hardly ever change:
they are formatted once and kept. All functions take the name of the daemon escaped.
"""

import functools
import itertools
import math
import operator
from array import array
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from exporter.management.batches import MAX_ROWS, release, row_batches
from exporter.management.status import ClientRow
from exporter.metrics.family import LabelledValues, LabelValues, Metric, PerSessionInfo, Samples
from exporter.state.client_session import ClientSession
from exporter.state.counters import Histogram
from exporter.state.privacy import Privacy

_MIN_PART, _MAX_PART = MAX_ROWS // 4, MAX_ROWS * 2
"""Info lines of a chunk: as few as are worth it, as many as are formatted at once."""

CHUNK_SIZE = 2000
"""Samples that are rendered at once: 1 to 2 ms."""

_C = TypeVar("_C")

_ColumnChunk = tuple[tuple[float | None, ...], bytes]
"""The values of some clients, and their text."""

_INFO_END = b"} 1\n"

_LAST_ROW = operator.attrgetter("last_row")

Lines = tuple[bytes, ...]
"""The sample lines of one daemon in a small family, cut where the label of the daemon is.

`daemon_label` joins them. Nearly all values are 0 or 1, so that nearly all parts are the same
objects for all daemons: a thousand lines of each are in memory once.
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
            return _cut([name] * len(labels), labels, list(samples.values())) if labels else ()


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

    def _text(self, names: Sequence[str], values: tuple[float | None, ...]) -> bytes:
        start, end = self._start, '"} '
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


class _InfoChunk(NamedTuple):
    """Sessions with their rows, and their lines as one text: so the lines are in memory once."""

    sessions: tuple[ClientSession, ...]
    rows: tuple[ClientRow, ...]
    text: bytes = b""
    hashes: "array[int]" = array("q")
    """The hashes of the lines: if all differ, no two lines are equal."""

    @property
    def keys(self) -> Iterator[tuple[ClientSession, int]]:
        """What a line is made from, by identity, while the chunk exists."""
        return zip(self.sessions, map(id, self.rows), strict=True)

    @property
    def lines(self) -> Iterable[bytes]:
        """The lines one by one, with their ends: a label value has none."""
        return map(b"%b\n".__mod__, self.text.split(b"\n")[:-1])

    def is_same(self, other: "_InfoChunk") -> bool:
        """Return whether the other one has the same sessions and rows, and thus the same text."""
        return (
            len(self.rows) == len(other.rows)
            and all(map(operator.is_, self.rows, other.rows))
            and all(map(operator.is_, self.sessions, other.sessions))
        )


class InfoLines:
    """The lines of one daemon in an info family, kept as long as their sessions have the same row.

    Most polls change few rows or none: a chunk of the same sessions and rows keeps its text.
    """

    def __init__(
        self, metric: Metric, daemon: str, source: PerSessionInfo, *, privacy: Privacy
    ) -> None:
        self._start = f'{metric.name}{{daemon="{daemon}"'
        self._names, self._number = metric.labels[:-1], metric.labels[-1]
        self._source = source
        self.privacy = privacy
        self._chunks: Sequence[_InfoChunk] = ()
        self._parts: list[bytes] = []

    def render_chunks(
        self, sessions: Iterable[ClientSession]
    ) -> Generator[None, None, list[bytes]]:
        """Return a line for each of these sessions, in parts; pause after each chunk.

        A line that is equal to an earlier one has a number.
        """
        last, last_parts, chunks = list(self._chunks), self._parts, list[_InfoChunk]()
        listed: list[ClientSession] = []
        for batch in row_batches(sessions):
            listed += batch
            yield
        kept = 0
        for part, candidate in _divided(listed, last):
            chunk = _InfoChunk(part, tuple(map(_LAST_ROW, part)))
            is_same = candidate is not None and chunk.is_same(candidate)
            chunks.append(candidate if candidate is not None and is_same else chunk)
            kept += is_same
            yield
        if kept == len(chunks) == len(last):
            return last_parts
        yield from self._fill(chunks, last)
        parts = yield from self._join(chunks)
        self._chunks, self._parts = chunks, parts
        while last:  # it takes long to free many ended sessions at once
            last.pop()
            yield
        return parts

    def _fill(
        self, chunks: list[_InfoChunk], last: Sequence[_InfoChunk]
    ) -> Generator[None, None, None]:
        """Add their lines to the chunks that have none, pausing after each."""
        kept = {id(chunk) for chunk in chunks}
        known: dict[tuple[ClientSession, int], bytes] = {}
        for chunk in last:
            if id(chunk) not in kept:
                known.update(zip(chunk.keys, chunk.lines, strict=True))
                yield
        for number, chunk in enumerate(chunks):
            if not chunk.text:
                lines = [
                    known.get(key) or self._line(key[0], row)
                    for key, row in zip(chunk.keys, chunk.rows, strict=True)
                ]
                chunks[number] = chunk._replace(
                    text=b"".join(lines), hashes=array("q", map(hash, lines))
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

    def _line(self, session: ClientSession, row: ClientRow) -> bytes:
        labels = _format_labels(self._names, self._source.labels(self.privacy, session, row))
        return f"{self._start}{labels}".encode() + _INFO_END


def _divided(
    sessions: list[ClientSession], last: Iterable[_InfoChunk]
) -> Iterator[tuple[tuple[ClientSession, ...], _InfoChunk | None]]:
    """Divide sessions into parts, each with the chunk of the last time that may be the same.

    A part begins where a chunk does: so a session that is inserted or missing leaves the chunks
    behind it as they are.
    """
    starts: list[tuple[int, _InfoChunk | None]] = [(0, None)]
    expected = 0
    for chunk in last:
        before = starts[-1][0]
        try:
            expected = sessions.index(chunk.sessions[0], before, expected + _MAX_PART)
        except ValueError:  # its first session has ended, or is elsewhere
            pass
        else:
            if expected == before:
                starts[-1] = before, chunk
            elif expected - before >= _MIN_PART:
                starts.append((expected, chunk))
        expected += len(chunk.sessions)
    starts.append((len(sessions), None))
    for (start, candidate), (end, _) in itertools.pairwise(starts):
        size = end - start if end - start <= _MAX_PART else MAX_ROWS
        for at in range(start, end, size or 1):
            part = tuple(sessions[at : min(at + size, end)])
            yield part, candidate if at == start else None


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
