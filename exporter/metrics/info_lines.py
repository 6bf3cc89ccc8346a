"""The lines of an info family with a line for each session.

They have ten labels each, and hardly ever change: they are formatted once and kept.
"""

import itertools
import operator
from array import array
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import NamedTuple

from exporter.management.batches import MAX_ROWS, release, row_batches
from exporter.management.status import ClientRow
from exporter.metrics.encode import format_labels
from exporter.metrics.family import Metric, PerSessionInfo
from exporter.state.client_session import ClientSession
from exporter.state.privacy import Privacy

_MIN_PART, _MAX_PART = MAX_ROWS // 4, MAX_ROWS * 2
"""Lines of a chunk: as few as are worth it, as many as are formatted at once."""

_INFO_END = b"} 1\n"

_LAST_ROW = operator.attrgetter("last_row")


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

    __slots__ = ("_chunks", "_daemon", "_metric", "_parts", "_source", "privacy")

    def __init__(
        self, metric: Metric, daemon: str, source: PerSessionInfo, *, privacy: Privacy
    ) -> None:
        self._metric, self._daemon, self._source = metric, daemon, source
        self.privacy = privacy
        self._chunks: Sequence[_InfoChunk] = ()
        self._parts: list[bytes] = []

    def render_chunks(
        self, sessions: Iterable[ClientSession]
    ) -> Generator[None, None, list[bytes]]:
        """Return a line for each of these sessions, in parts; pause after each chunk.

        A line that is equal to an earlier one has a number.
        """
        last, last_parts = list(self._chunks), self._parts
        chunks = yield from _divided(sessions, last)
        if len(chunks) == len(last) and all(map(operator.is_, chunks, last)):
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
        label = f',{self._metric.labels[-1]}="{number}"'.encode()
        return line.removesuffix(_INFO_END) + label + _INFO_END

    def _line(self, session: ClientSession, row: ClientRow) -> bytes:
        values = self._source.labels(self.privacy, session, row)
        labels = format_labels(self._metric.labels[:-1], values)
        return f'{self._metric.name}{{daemon="{self._daemon}"{labels}'.encode() + _INFO_END


_Start = tuple[int, _InfoChunk | None]
"""The place of the first session of a part, and the chunk of the last time that begins with it."""


def _divided(
    sessions: Iterable[ClientSession], last: Iterable[_InfoChunk]
) -> Generator[None, None, list[_InfoChunk]]:
    """Divide sessions into chunks, pausing after each: those of the last time that are the same.

    The others have no text yet. A chunk begins where one of the last time does: so a session that
    is inserted or missing leaves the chunks behind it as they are.
    """
    listed, starts = yield from _starts(sessions, last)
    chunks: list[_InfoChunk] = []
    for (start, candidate), (end, _) in itertools.pairwise([*starts, (len(listed), None)]):
        size = end - start if end - start <= _MAX_PART else MAX_ROWS
        for at in range(start, end, size or 1):
            part = tuple(listed[at : min(at + size, end)])
            chunk = _InfoChunk(part, tuple(map(_LAST_ROW, part)))
            if candidate is not None and chunk.is_same(candidate):
                chunk = candidate
            chunks.append(chunk)
            yield
    return chunks


def _starts(
    sessions: Iterable[ClientSession], last: Iterable[_InfoChunk]
) -> Generator[None, None, tuple[list[ClientSession], list[_Start]]]:
    """Return sessions as a list, and where chunks of the last time may begin in it."""
    chunks = {chunk.sessions[0]: chunk for chunk in last}
    listed: list[ClientSession] = []
    starts: list[_Start] = [(0, None)]
    for batch in row_batches(sessions):
        for at, chunk in enumerate(map(chunks.get, batch), len(listed)):
            if chunk is not None:
                before = starts[-1][0]
                if at == before:
                    starts[-1] = at, chunk
                elif at - before >= _MIN_PART:
                    starts.append((at, chunk))
        listed += batch
        yield
    return listed, starts
