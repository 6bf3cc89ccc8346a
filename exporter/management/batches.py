"""Batches: what is handled between two yields to the event loop.

A daemon chooses how many lines it sends and how long they are, so both are bounded: no batch holds
the event loop for longer than a few milliseconds, whatever its lines contain.
"""

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, TypeVar

from exporter.management.reply_lines import ReplyLines

MAX_ROWS = 500
"""Most items of a batch: a millisecond of status rows, three if all of them are new."""

MAX_BYTES = 256 * 1024
"""Most bytes of a batch; a single longer item is a batch of its own."""

MAX_LINES = 4000
"""Most lines of received bytes that are framed at once: a few milliseconds."""

WAITING = True
"""Yielded instead of None by a generator that can only go on after another one does."""

_T = TypeVar("_T")

Steps = Generator[Any, None, _T]
"""A generator that yields after each batch: nothing, or `WAITING`."""


def run_batches(steps: Steps[_T]) -> _T:
    """Run a generator to its end, without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result


def row_batches(rows: Iterable[_T], size: int = MAX_ROWS) -> Iterator[Sequence[_T]]:
    """Yield items of which each takes a few microseconds in batches of `size`, in order."""
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, size)):
        yield batch


def leading(matches: Iterable[bool]) -> int:
    """Return how many of them are true at the beginning."""
    return len(list(itertools.takewhile(bool, matches)))


def release(large: MutableMapping[Any, Any], rows: int = MAX_ROWS) -> Generator[None, None, None]:
    """Empty a dictionary, yielding after each batch: it takes long to free a large one at once."""
    while large:
        for _ in range(min(len(large), rows)):
            large.popitem()
        yield


def line_batches(lines: Sequence[bytes], *, rows: int = MAX_ROWS) -> Iterator[Sequence[bytes]]:
    """Yield lines in batches, in order."""
    parts = (block.split() for block in lines.blocks) if isinstance(lines, ReplyLines) else (lines,)
    for part in parts:
        yield from batches(part, lambda batch: sum(map(len, batch)), rows=rows)


def batches(
    items: Sequence[_T],
    size: Callable[[Sequence[_T]], int],
    *,
    rows: int = MAX_ROWS,
    limit: int = MAX_BYTES,
) -> Iterator[Sequence[_T]]:
    """Yield items in batches, in order.

    Args:
        items: what is handled.
        size: returns the bytes of several items.
        rows: most items of a batch.
        limit: most bytes of a batch.
    """
    start = 0
    while start < len(items):
        batch = items[start : start + rows]
        while len(batch) > 1 and size(batch) > limit:
            batch = batch[: len(batch) // 2]
        yield batch
        start += len(batch)


def data_batches(data: bytes, *, lines: int = MAX_LINES) -> Iterator[tuple[bytes, int]]:
    """Yield received bytes in pieces of at most so many line ends, with the number of these.

    Nearly all data is one piece: only short lines are many.
    """
    count = data.count(b"\n")
    if count <= lines:
        yield data, count
        return
    middle = len(data) // 2
    yield from data_batches(data[:middle], lines=lines)
    yield from data_batches(data[middle:], lines=lines)
