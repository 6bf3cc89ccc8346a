"""The client rows of the previous status, so that a row that is known need not be parsed again.

From one poll to the next nearly all rows differ in their two byte counters only, and nearly all
come in the same order. Rows that follow one another in both statuses are compared all at once, by
the bytes before and behind their counters; another row is looked up by these bytes, and parsed if
it is not found. A known row keeps its object, which gets the new counters.
"""

from collections.abc import Generator, Sequence
from typing import Annotated, NamedTuple

import msgspec

from exporter.management.batches import leading
from exporter.management.status.columns import Columns
from exporter.management.status.model import ClientRow

_RECEIVED, _SENT = "Bytes Received", "Bytes Sent"
_SAFE_DIGITS = 18
"""A number of so many digits fits in 63 bits."""

_INDEXED_AT_ONCE = 5000

_DIGITS = b"0123456789"
_TO_COMMAS = bytes.maketrans(b"\t\n", b",,")
_NUMBERS = msgspec.json.Decoder(list[Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]])
"""Parses many numbers at once, four times as fast as `int`; larger ones are parsed one by one."""


class _Rows(NamedTuple):
    """Rows of a status; of each the bytes before and behind its counters, and their number."""

    rows: Sequence[ClientRow] = ()
    heads: Sequence[bytes] = ()
    tails: Sequence[bytes] = ()
    sizes: Sequence[int] = ()

    def between(self, start: int, end: int) -> "_Rows":
        """Return some of the rows."""
        rows, heads, tails, sizes = self
        return _Rows(rows[start:end], heads[start:end], tails[start:end], sizes[start:end])


class _NewRows:
    """Rows that are collected."""

    def __init__(self, first: _Rows) -> None:
        self.rows = list(first.rows)
        self.heads = list(first.heads)
        self.tails = list(first.tails)
        self.sizes = list(first.sizes)

    def extend(self, known: _Rows) -> None:
        self.rows += known.rows
        self.heads += known.heads
        self.tails += known.tails
        self.sizes += known.sizes

    def freeze(self) -> Generator[None, None, _Rows]:
        # Tuples: the garbage collector looks at each item of a list. Each takes some milliseconds
        # for a hundred thousand rows.
        rows = tuple(self.rows)
        yield
        heads = tuple(self.heads)
        yield
        tails = tuple(self.tails)
        yield
        return _Rows(rows, heads, tails, tuple(self.sizes))


class RowCache:
    """The client rows of the previous status in format 3, and of the one that is being read.

    Only format 3 has a separator that no field can contain: in format 2 the counters cannot be
    found before the row is parsed.
    """

    def __init__(self) -> None:
        self._columns: Columns[ClientRow] | None = None
        self._counter_index = 0
        self._previous = _Rows()
        self.begin()

    def begin(self) -> None:
        """Begin a status."""
        self._current: _NewRows | None = None
        """The rows of this status; None while they are the first ones of the previous status."""
        self._is_in_table = False
        """Whether the header has come: without it no row can be read."""
        self._next = 0
        """The place in the previous status of the row that is expected next."""
        self._taken = bytearray(len(self._previous.rows))
        """For each row of the previous status whether this one has it."""
        self._places: dict[bytes, int] = {}
        """The places of the previous rows by their head."""

    def set_columns(self, columns: Columns[ClientRow]) -> None:
        """Set the header of the following rows; under another header no cached row is valid."""
        if self._columns is None or self._columns.names != columns.names:
            self._counter_index = _counter_index(columns)
            self._previous = _Rows()
            self.begin()
        self._columns = columns
        self._is_in_table = True

    def end(self) -> Generator[None, None, Sequence[ClientRow]]:
        """End a status: forget the rows that it did not have; yield while they are copied.

        Return those that it had, the same object as the last time if nothing but their counters
        has changed.
        """
        before: list[Sequence[object]] = list(self._previous)
        if self._current is not None:
            self._previous = yield from self._current.freeze()
        elif self._next < len(self._previous.rows):
            self._previous = self._previous.between(0, self._next)
        yield
        self.begin()
        while before:  # it takes long to free those of many rows at once
            before.pop()
            yield
        return self._previous.rows

    def index(self) -> Generator[None, None, None]:
        """Prepare the search for rows that come in another order, yielding after each batch."""
        heads = () if self._places else self._previous.heads
        for start in range(0, len(heads), _INDEXED_AT_ONCE):
            end = start + _INDEXED_AT_ONCE
            self._places.update(zip(heads[start:end], range(start, end), strict=False))
            yield

    def take_all(self, lines: Sequence[bytes]) -> Sequence[ClientRow]:
        """Return the rows of the lines if all are known and in the same order, else nothing."""
        known = self._expected(len(lines))
        counters = _counters(lines, known) if len(known.rows) == len(lines) else None
        return () if counters is None else self._take(known, counters)

    def take_leading(self, lines: Sequence[bytes]) -> Sequence[ClientRow]:
        """Return the rows of leading lines that are known and in the same order."""
        known = self._expected(len(lines))
        count = min(
            leading(map(bytes.startswith, lines, known.heads)),
            leading(map(bytes.endswith, lines, known.tails)),
        )
        known = known.between(0, count)
        counters = _counters(lines[:count], known) if count else None
        return () if counters is None else self._take(known, counters)

    def parse(self, line: bytes) -> ClientRow:
        """Look up or parse a single row, keyword included.

        Raises:
            ValueError: the row cannot be parsed, or there was no header.
        """
        if self._columns is None:
            raise ValueError("a row before its header")
        index = self._counter_index
        # The fields before the counters, the two counters, and the rest of the row as one field.
        fields = line.split(b"\t", index + 2)
        if not index or len(fields) < index + 3:
            return self._columns.parse(line.removesuffix(b"\r"))
        if self._current is None:
            self._current = _NewRows(self._previous.between(0, self._next))
        current = self._current
        *start, received, sent, end = fields
        head, tail = b"\t".join((*start, b"")), b"\t" + end
        place = self._find(head, tail)
        if place is not None and _is_safe(received) and _is_safe(sent):
            row = self._previous.rows[place]
            row.received_bytes, row.sent_bytes = int(received), int(sent)
            self._taken[place] = True
            self._next = place + 1
        else:
            row = self._columns.parse(line.removesuffix(b"\r"))
            self._next += 1  # it has replaced the one that was expected, if there is no other way
        current.rows.append(row)
        current.heads.append(head)
        current.tails.append(tail)
        current.sizes.append(len(head) + len(tail))
        return row

    def _find(self, head: bytes, tail: bytes) -> int | None:
        """Return the place of a row in the previous status that is not taken; None if unknown."""
        place = self._places.get(head)
        if place is None or self._taken[place] or self._previous.tails[place] != tail:
            return None
        return place

    def _expected(self, count: int) -> _Rows:
        """Return the rows that are expected next, `count` at most."""
        if not self._is_in_table:
            return _Rows()
        start, end = self._next, self._next + count
        taken = self._taken.find(b"\1", start, end)
        return self._previous.between(start, end if taken < 0 else taken)

    def _take(self, known: _Rows, counters: Sequence[int]) -> Sequence[ClientRow]:
        for row, received, sent in zip(known.rows, counters[::2], counters[1::2], strict=True):
            row.received_bytes = received
            row.sent_bytes = sent
        count = len(known.rows)
        self._taken[self._next : self._next + count] = b"\1" * count
        self._next += count
        if self._current is not None:
            self._current.extend(known)
        return known.rows


def _counters(lines: Sequence[bytes], known: _Rows) -> Sequence[int] | None:
    """Return both counters of each line; None if one is not known, or has another number."""
    rest = map(bytes.removeprefix, lines, known.heads)
    text = b"\n".join(map(bytes.removesuffix, rest, known.tails))
    removed = sum(map(len, lines)) + len(lines) - 1 - len(text)
    if removed != sum(known.sizes):  # else of each line as much as it has in common with its row
        return None
    if text.translate(None, _DIGITS) != (b"\t\n" * len(lines))[:-1]:
        return None
    try:
        counters = _NUMBERS.decode(b"[%b]" % text.translate(_TO_COMMAS))
    except msgspec.DecodeError:  # no digit, a leading zero, or too many digits
        return None
    return counters


def _is_safe(number: bytes) -> bool:
    return number.isdigit() and len(number) <= _SAFE_DIGITS


def _counter_index(columns: Columns[ClientRow]) -> int:
    """Return the index of the counters in a row with its keyword; 0 if they are not adjacent."""
    names = list(columns.names)
    if names.count(_RECEIVED) == names.count(_SENT) == 1:
        index = names.index(_RECEIVED) + 1
        return index if names[index:][:1] == [_SENT] else 0
    return 0
