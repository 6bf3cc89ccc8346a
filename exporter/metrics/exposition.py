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
from exporter.metrics.encode import InfoLines, escape_all, render, render_chunks, render_column
from exporter.metrics.family import Family, InfoSource, Kind, Metric, PerClientValues
from exporter.metrics.negotiation import family_name, help_and_type, negotiate
from exporter.metrics.page import Block, Chunk, Page
from exporter.state.daemon import DaemonState

_UNRENDERED = -1
BLOCK_SIZE = 16 * 1024
"""Bytes from which on text is worth keeping its compressed form."""

_NOTHING = CollectorRegistry()
_RECORDS_AT_ONCE = 10
"""Records whose small families are rendered without giving way; each takes a fraction of a ms."""


class _DaemonCache:
    """The text of one record, a piece for each family, and the record's age when it was made."""

    __slots__ = ("_descriptions", "_names", "_names_key", "pieces", "revision", "revisions")

    def __init__(self, families: int) -> None:
        self.revision = _UNRENDERED
        self.revisions = [_UNRENDERED] * families
        self.pieces: list[Chunk] = [b""] * families
        self._descriptions: dict[int, InfoLines] = {}
        self._names: Sequence[str] = ()
        self._names_key: object = None

    def render_large(
        self, index: int, family: Family, daemon: DaemonState
    ) -> Generator[None, None, list[bytes]]:
        """Render a family that goes over all clients; return its lines in parts."""
        # All is taken at once: the record may change during a pause.
        match family.source:
            case PerClientValues() as column:
                return (
                    yield from render_column(
                        family.metric,
                        daemon.name,
                        names=self._shown(column, daemon),
                        values=column.values(daemon),
                    )
                )
            case InfoSource() as description:
                keys = list(description.keys(daemon))
                known = self._descriptions.get(index)
                if known is None:
                    known = InfoLines(family.metric, daemon.name, description)
                    self._descriptions[index] = known
                return (yield from known.render_chunks(keys))
            case None:
                samples = list(family.samples(daemon))
                return (yield from render_chunks(family.metric, daemon.name, samples))

    def _shown(self, column: PerClientValues, daemon: DaemonState) -> Sequence[str]:
        """Return the names as they are written, made once for all columns of them."""
        key = column.names, daemon.client_revision
        if self._names_key != key:
            self._names = escape_all(column.names(daemon))
            self._names_key = key
        return self._names


class Exposition:
    """Renders the records of all daemons, followed by a registry of prometheus_client's."""

    def __init__(self, families: Sequence[Family], registry: CollectorRegistry) -> None:
        """Render these families, in this order, and what `registry` collects."""
        self._families = families
        self._registry = registry
        # What was rendered of a record goes when the record goes.
        self._caches: WeakKeyDictionary[DaemonState, _DaemonCache] = WeakKeyDictionary()

    def configure(self, families: Sequence[Family]) -> None:
        """Render these families from now on."""
        self._families = families
        self._caches = WeakKeyDictionary()

    async def prerender(self, *daemons: DaemonState) -> None:
        """Render what has changed, so that the next page finds it; gives way in between."""
        rendered = 0
        for daemon in daemons:
            cache = self._cache(daemon)
            if cache.revision == daemon.revision:
                continue
            for _ in self._refresh(daemon, cache):
                await yield_to_loop()
            rendered += 1
            if rendered % _RECORDS_AT_ONCE == 0:
                await yield_to_loop()

    def page(
        self,
        daemons: Sequence[DaemonState],
        *,
        accept: str = "",
        names: Collection[str] = (),
        include_self: bool = True,
    ) -> Page:
        """Render a page of what the records say now.

        Args:
            daemons: the daemons.
            accept: the request's Accept header; OpenMetrics only where it asks for that.
            names: metric names to restrict the page to (`name[]`); all where empty.
            include_self: whether the exporter's own metrics follow.
        """
        text_format = negotiate(accept)
        columns = zip(*map(self._fresh, daemons), strict=True) if daemons else ()
        pieces: list[Chunk] = []
        for family, column in zip(self._families, columns, strict=False):
            if any(column) and (not names or _is_named(family.metric, names)):
                pieces.append(help_and_type(family.metric, openmetrics=text_format.openmetrics))
                pieces += column
        pieces.append(text_format.encode(self._self_collector(names) if include_self else _NOTHING))
        return Page(tuple(pieces), text_format.content_type)

    def _self_collector(self, names: Collection[str]) -> Collector:
        if names:
            return self._registry.restricted_registry(list(names))
        return self._registry

    def _fresh(self, daemon: DaemonState) -> list[Chunk]:
        cache = self._cache(daemon)
        if cache.revision != daemon.revision:
            for _ in self._refresh(daemon, cache):
                pass
        return cache.pieces

    def _cache(self, daemon: DaemonState) -> _DaemonCache:
        cache = self._caches.get(daemon)
        if cache is None:
            cache = self._caches[daemon] = _DaemonCache(len(self._families))
        return cache

    def _refresh(self, daemon: DaemonState, cache: _DaemonCache) -> Iterator[None]:
        """Render what is older than the record, pausing after each slice of a large family.

        The record may change during a pause: what was rendered before is old again then.
        """
        revision = daemon.revision
        for index, family in enumerate(self._families):
            family_revision = _revision(family, daemon)
            if cache.revisions[index] == family_revision:
                continue
            if family_revision == _UNRENDERED:
                cache.pieces[index] = b""
            elif family.per_client:
                cache.pieces[index] = _to_block(
                    (yield from cache.render_large(index, family, daemon))
                )
            else:
                cache.pieces[index] = render(family.metric, daemon.name, family.samples(daemon))
            cache.revisions[index] = family_revision
        cache.revision = revision


def _revision(family: Family, daemon: DaemonState) -> int:
    """Return what tells whether text is still right."""
    if family.while_up and not daemon.up:
        return _UNRENDERED
    return daemon.client_revision if family.per_client else daemon.revision


def _to_block(parts: list[bytes]) -> Chunk:
    block = Block(parts)
    return block if block.size >= BLOCK_SIZE else b"".join(parts)


def _is_named(metric: Metric, names: Collection[str]) -> bool:
    """Tell whether a family is asked for: by its name, or by that of one of its samples."""
    sample_names = {metric.name, family_name(metric)}
    if metric.kind is Kind.HISTOGRAM:
        sample_names.update(f"{metric.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
    return not sample_names.isdisjoint(names)
