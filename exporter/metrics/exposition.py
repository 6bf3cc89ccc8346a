"""Records as a page.

Sample lines are the same in both formats; only what stands above a family differs. So a daemon's
lines are rendered once for each change of its record, those that go over all clients once for
each poll, and a scrape puts ready pieces in a row.
"""

from collections.abc import Collection, Generator, Iterator, Sequence
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from exporter.aio import yield_to_loop
from exporter.metrics.encode import InfoLines, escape_all, render, render_column, render_slices
from exporter.metrics.family import Family, InfoSource, Kind, Metric, PerClientValues
from exporter.metrics.negotiation import family_name, help_and_type, negotiate
from exporter.metrics.page import Block, Chunk, Page
from exporter.state.daemon import DaemonState

_NEVER = -1
BLOCK_SIZE = 16 * 1024
"""Bytes from which on text is worth keeping its compressed form."""

_NOTHING = CollectorRegistry()
_RECORDS_AT_ONCE = 10
"""Records whose small families are rendered without giving way; each takes a fraction of a ms."""


class _Text:
    """The text of one record, a piece for each family, and the record's age when it was made."""

    __slots__ = ("_descriptions", "_names", "_names_key", "ages", "pieces", "revision")

    def __init__(self, families: int) -> None:
        self.revision = _NEVER
        self.ages = [_NEVER] * families
        self.pieces: list[Chunk] = [b""] * families
        self._descriptions: dict[int, InfoLines] = {}
        self._names: Sequence[str] = ()
        self._names_key: object = None

    def large(
        self, place: int, family: Family, record: DaemonState
    ) -> Generator[None, None, list[bytes]]:
        """Render a family that goes over all clients; return its lines in parts."""
        # All is taken at once: the record may change during a pause.
        match family.source:
            case PerClientValues() as column:
                return (
                    yield from render_column(
                        family.metric,
                        record.name,
                        names=self._shown(column, record),
                        values=column.values(record),
                    )
                )
            case InfoSource() as description:
                facts = list(description.facts(record))
                known = self._descriptions.get(place)
                if known is None:
                    known = InfoLines(family.metric, record.name, description)
                    self._descriptions[place] = known
                return (yield from known.render_slices(facts))
            case None:
                samples = list(family.samples(record))
                return (yield from render_slices(family.metric, record.name, samples))

    def _shown(self, column: PerClientValues, record: DaemonState) -> Sequence[str]:
        """Return the names as they are written, made once for all columns of them."""
        key = column.names, record.client_revision
        if self._names_key != key:
            self._names = escape_all(column.names(record))
            self._names_key = key
        return self._names


class Exposition:
    """Renders the records of all daemons, followed by a registry of prometheus_client's."""

    def __init__(self, families: Sequence[Family], registry: CollectorRegistry) -> None:
        """Render these families, in this order, and what `registry` collects."""
        self._families = families
        self._registry = registry
        # What was rendered of a record goes when the record goes.
        self._texts: WeakKeyDictionary[DaemonState, _Text] = WeakKeyDictionary()

    def configure(self, families: Sequence[Family]) -> None:
        """Render these families from now on."""
        self._families = families
        self._texts = WeakKeyDictionary()

    async def prepare(self, *records: DaemonState) -> None:
        """Render what has changed, so that the next page finds it; gives way in between."""
        rendered = 0
        for record in records:
            text = self._text(record)
            if text.revision == record.revision:
                continue
            for _ in self._refresh(record, text):
                await yield_to_loop()
            rendered += 1
            if rendered % _RECORDS_AT_ONCE == 0:
                await yield_to_loop()

    def page(
        self,
        records: Sequence[DaemonState],
        *,
        accept: str = "",
        names: Collection[str] = (),
        own: bool = True,
    ) -> Page:
        """Render a page of what the records say now.

        Args:
            records: the daemons.
            accept: the request's Accept header; OpenMetrics only where it asks for that.
            names: metric names to restrict the page to (`name[]`); all where empty.
            own: whether the exporter's own metrics follow.
        """
        written = negotiate(accept)
        columns = zip(*map(self._fresh, records), strict=True) if records else ()
        pieces: list[Chunk] = []
        for family, column in zip(self._families, columns, strict=False):
            if any(column) and (not names or _is_named(family.metric, names)):
                pieces.append(help_and_type(family.metric, openmetrics=written.openmetrics))
                pieces += column
        pieces.append(written.encode(self._own(names) if own else _NOTHING))
        return Page(tuple(pieces), written.content_type)

    def _own(self, names: Collection[str]) -> Collector:
        if names:
            return self._registry.restricted_registry(list(names))
        return self._registry

    def _fresh(self, record: DaemonState) -> list[Chunk]:
        text = self._text(record)
        if text.revision != record.revision:
            for _ in self._refresh(record, text):
                pass
        return text.pieces

    def _text(self, record: DaemonState) -> _Text:
        text = self._texts.get(record)
        if text is None:
            text = self._texts[record] = _Text(len(self._families))
        return text

    def _refresh(self, record: DaemonState, text: _Text) -> Iterator[None]:
        """Render what is older than the record, pausing after each slice of a large family.

        The record may change during a pause: what was rendered before is old again then.
        """
        revision = record.revision
        for place, family in enumerate(self._families):
            age = _age(family, record)
            if text.ages[place] == age:
                continue
            if age == _NEVER:
                text.pieces[place] = b""
            elif family.per_client:
                text.pieces[place] = _piece((yield from text.large(place, family, record)))
            else:
                text.pieces[place] = render(family.metric, record.name, family.samples(record))
            text.ages[place] = age
        text.revision = revision


def _age(family: Family, record: DaemonState) -> int:
    """Return what tells whether text is still right."""
    if family.while_up and not record.up:
        return _NEVER
    return record.client_revision if family.per_client else record.revision


def _piece(parts: list[bytes]) -> Chunk:
    block = Block(parts)
    return block if block.size >= BLOCK_SIZE else b"".join(parts)


def _is_named(metric: Metric, names: Collection[str]) -> bool:
    """Tell whether a family is asked for: by its name, or by that of one of its samples."""
    own = {metric.name, family_name(metric)}
    if metric.kind is Kind.HISTOGRAM:
        own.update(f"{metric.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
    return not own.isdisjoint(names)
