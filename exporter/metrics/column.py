"""The text of one family for all daemons: a line or more for each.

A thousand daemons have 27 MB of text, of which a scrape finds a tenth changed. The deflate form of
the rest has 1 MB, and is kept.
"""

import operator
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from exporter.metrics.encode import Lines, with_starts, without_starts
from exporter.metrics.family import Family, PerClientValues, inputs_of
from exporter.metrics.negotiation import help_and_type
from exporter.metrics.page import Block, Deflated

MANY_DAEMONS = 100
"""Daemons from which on each family is compressed by itself, and its deflate form is kept."""

_DAEMONS_AT_ONCE = 50
"""Daemons whose lines are joined at once."""

Text = Lines | Block
"""The text of one daemon in a family: a block if it is large."""


class DaemonTexts(msgspec.Struct, frozen=True):
    """The text of several daemons at one moment.

    Each has a label and a text in each family; `large` are the positions of those with blocks.
    """

    labels: Sequence[bytes]
    texts: Sequence[Sequence[Text]]
    large: Sequence[int]


class Column:
    """A family, and what is kept of the text that many daemons have in it."""

    __slots__ = ("_index", "_name", "deflated", "family", "inputs")

    def __init__(self, index: int, family: Family) -> None:
        """`index` is the position of the family in the text of a daemon."""
        self.family, self.inputs, self._index = family, inputs_of(family), index
        self._name: bytes | None = None
        if isinstance(family.source, PerClientValues):
            self._name = family.metric.name.encode()
        self.deflated: dict[bool, Deflated] = {}
        """Of OpenMetrics and of the other format; to be cleared when the text of a daemon changes.

        It is that of the text since then: a page may compress it later.
        """

    def stored(self, label: bytes, text: bytes) -> Lines:
        """Return the text of a daemon of few clients as it is stored.

        The lines with values of clients are stored without their equal starts, half of them.
        """
        if self._name is not None:
            return without_starts(text, self._name + label)
        return (text,) if text else ()

    def text(
        self, daemons: DaemonTexts, *, openmetrics: bool, keep: bool
    ) -> Iterator[Block | Iterable[bytes]]:
        """Yield the text of daemons in parts, the HELP and TYPE lines first.

        With `keep`, it is one block with the deflate form that is kept, unless single daemons have
        blocks of their own.
        """
        index, labels, texts = self._index, daemons.labels, daemons.texts
        head = help_and_type(self.family.metric, openmetrics=openmetrics)
        blocks = [(at, text) for at in daemons.large if isinstance(text := texts[at][index], Block)]
        if keep and not blocks:
            deflated = self.deflated.setdefault(openmetrics, Deflated())
            yield Block(_JoinedLines(head, labels, texts, index, self._name), deflated)
            return
        if blocks:
            yield (head,)
            head = b""
        start = 0
        for at, block in blocks:
            yield _JoinedLines(head, labels[start:at], texts[start:at], index, self._name)
            yield block
            start = at + 1
        yield _JoinedLines(head, labels[start:], texts[start:], index, self._name)


class _JoinedLines(msgspec.Struct, frozen=True):
    """Lines of many daemons that are put together each time that they are read.

    A thousand daemons have 20 MB of them, of which nearly all parts are the same objects.
    """

    head: bytes
    labels: Sequence[bytes]
    texts: Sequence[Sequence[Text]]
    index: int
    name: bytes | None
    """That of the metric, if its lines are stored without their starts."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield `head` and the lines of some daemons at a time; nothing if there are no lines."""
        lines = list(map(operator.itemgetter(self.index), self.texts))
        if any(lines):
            yield self.head
            for at in range(0, len(lines), _DAEMONS_AT_ONCE):
                some = slice(at, at + _DAEMONS_AT_ONCE)
                yield b"".join(self._join(self.labels[some], lines[some]))

    def _join(self, labels: Sequence[bytes], lines: Sequence[Lines]) -> Iterable[bytes]:
        if self.name is None:
            return map(bytes.join, labels, lines)
        return map(with_starts, lines, map(self.name.__add__, labels))
