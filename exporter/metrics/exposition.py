"""The states of daemons as a page of metrics.

A poll renders the text of its daemon; a scrape puts the texts of all daemons together.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from exporter.aio import run_cooperatively
from exporter.management.batches import WAITING, Steps, release, run_batches
from exporter.metrics.column import MANY_DAEMONS, Column, DaemonTexts
from exporter.metrics.daemon_text import DaemonText, revision_of
from exporter.metrics.expected_clients import ExpectedClientLines
from exporter.metrics.family import Family, Metric, MetricType
from exporter.metrics.negotiation import family_name, help_and_type, negotiate
from exporter.metrics.page import Block, Chain, Page
from exporter.state.daemon import DaemonState
from exporter.state.port_probes import ProbedPort

_ROUNDS = 3
"""A daemon may change while others are rendered; `page` would render its clients at once."""

_EMPTY = CollectorRegistry()


class Exposition:
    """Renders the states of all daemons, followed by a registry of prometheus_client."""

    def __init__(
        self,
        families: Sequence[Family],
        registry: CollectorRegistry,
        ports: Callable[[], Sequence[ProbedPort]] = tuple,
        *,
        expected_clients: ExpectedClientLines | None = None,
    ) -> None:
        """Render these families, in this order, and what `registry` collects.

        `ports` returns the ports that are probed without a daemon.
        """
        self._configure(families)
        self._ports = ports
        self._expected_clients = expected_clients
        self._registry = registry

    async def configure(self, families: Sequence[Family]) -> None:
        """Render these families from now on; what was rendered is freed in steps."""
        outdated = self._texts
        self._configure(families)
        await run_cooperatively(release(outdated, rows=1))

    def _configure(self, families: Sequence[Family]) -> None:
        self._columns = [Column(index, family) for index, family in enumerate(families)]
        self._kept_labels: Sequence[bytes] = ()
        """The labels of the daemons whose text the columns keep: each object is of one text."""
        # The text of a daemon goes with its state.
        self._texts: WeakKeyDictionary[DaemonState | ProbedPort, DaemonText] = WeakKeyDictionary()

    async def prerender(self, *daemons: DaemonState) -> None:
        """Render what has changed, so that the next page is ready; yield to the event loop."""
        await run_cooperatively(self._refresh_outdated(daemons))

    async def prerender_expected_clients(self, daemons: Sequence[DaemonState]) -> None:
        """Render the clients that are expected on any server; `daemons` are all of them."""
        if self._expected_clients is not None:
            await run_cooperatively(self._expected_clients.refresh(daemons))

    def _refresh_outdated(self, daemons: Sequence[DaemonState]) -> Steps[None]:
        """Render what has changed, and what changes meanwhile, without a pause after the last."""
        for _ in range(_ROUNDS):
            outdated = [
                daemon for daemon in daemons if self._text(daemon).revision != revision_of(daemon)
            ]
            if not outdated:
                return
            yield from self._refresh(outdated)

    def _refresh(self, daemons: Sequence[DaemonState]) -> Steps[None]:
        for daemon in daemons:
            # Two at a time would make all text twice; another configuration has other texts.
            while (text := self._text(daemon)).is_refreshing:
                yield WAITING
            text.is_refreshing = True
            try:
                yield from text.refresh(daemon, self._columns)
            finally:
                text.is_refreshing = False
            yield

    def page(
        self,
        daemons: Sequence[DaemonState],
        *,
        accept: str = "",
        names: Collection[str] = (),
        include_self: bool = True,
    ) -> Page:
        """Render a page of the daemons as they are now, without a pause.

        Args:
            daemons: the states of the daemons.
            accept: the request's Accept header; OpenMetrics only where it asks for that.
            names: metric names to restrict the page to (`name[]`); all where empty.
            include_self: whether clients that are expected on any server, ports without a daemon
                and the metrics about the exporter follow; `daemons` are all of them then.
        """
        return run_batches(
            self._render(daemons, accept=accept, names=names, include_self=include_self)
        )

    def page_in_turns(
        self,
        daemons: Sequence[DaemonState],
        *,
        accept: str = "",
        names: Collection[str] = (),
        include_self: bool = True,
    ) -> Steps[Page]:
        """Render a page as `page` does, yielding before; they are as at the last step."""
        refreshed = self._refresh_outdated(daemons)
        return self._render(
            daemons, refreshed, accept=accept, names=names, include_self=include_self
        )

    def _render(
        self,
        daemons: Sequence[DaemonState],
        refreshed: Iterable[object] = (),
        *,
        accept: str,
        names: Collection[str],
        include_self: bool,
    ) -> Steps[Page]:
        """Render a page; the steps of `refreshed` come before the last, which renders the rest."""
        text_format = negotiate(accept)
        # It takes some milliseconds to count the descriptors of thousands of daemons.
        self_text = text_format.encode(self._self_collector(names) if include_self else _EMPTY)
        yield
        if include_self and self._expected_clients is not None:
            yield from self._expected_clients.refresh(daemons)
        yield from refreshed
        texts = list(map(self._fresh, daemons))
        if include_self:
            texts += map(self._fresh_port, self._ports())
        openmetrics = text_format.openmetrics
        parts = self._parts(texts, names, openmetrics=openmetrics, include_self=include_self)
        return Page(tuple(_blocks([*parts, (self_text,)])), text_format.content_type)

    def _fresh(self, daemon: DaemonState) -> DaemonText:
        text = self._text(daemon)
        if text.revision != revision_of(daemon):
            for _ in text.refresh(daemon, self._columns):
                pass
        return text

    def _fresh_port(self, port: ProbedPort) -> DaemonText:
        text = self._text(port)
        text.refresh_port(port, self._columns)
        return text

    def _text(self, owner: DaemonState | ProbedPort) -> DaemonText:
        text = self._texts.get(owner)
        if text is None:
            text = self._texts[owner] = DaemonText(owner.name, len(self._columns))
        return text

    def _parts(
        self,
        texts: Sequence[DaemonText],
        names: Collection[str],
        *,
        openmetrics: bool,
        include_self: bool,
    ) -> Iterator[Block | Iterable[bytes]]:
        """Yield the parts of a page, but for the last one: blocks, and other text."""
        daemons = DaemonTexts(
            [text.label for text in texts],
            [text.share() for text in texts],
            [at for at, text in enumerate(texts) if text.blocks],
        )
        keep = self._keeps(daemons.labels)
        for column in self._columns:
            if not names or _is_named(column.family.metric, names):
                yield from column.text(daemons, openmetrics=openmetrics, keep=keep)
        if include_self:
            for metric, block in self._expected_clients.chunks() if self._expected_clients else ():
                if not names or _is_named(metric, names):
                    yield from ((help_and_type(metric, openmetrics=openmetrics),), block)

    def _self_collector(self, names: Collection[str]) -> Collector:
        return self._registry.restricted_registry(list(names)) if names else self._registry

    def _keeps(self, labels: Sequence[bytes]) -> bool:
        """Return whether columns keep the text of the daemons with these labels, from now on.

        Another daemon of the same name has an equal label, but not the same object.
        """
        keeps = len(labels) >= MANY_DAEMONS
        if keeps and [*map(id, labels)] != [*map(id, self._kept_labels)]:
            for column in self._columns:
                column.deflated.clear()
            self._kept_labels = labels
        return keeps


def _blocks(parts: Iterable[Block | Iterable[bytes]]) -> Iterator[Block]:
    """Yield the blocks of a page, of which some are made of the parts between the others."""
    small: list[Iterable[bytes]] = []
    for part in parts:
        if isinstance(part, Block):
            if small:
                yield Block(Chain(small))
                small = []
            yield part
        else:
            small.append(part)
    yield Block(Chain(small))


def _is_named(metric: Metric, names: Collection[str]) -> bool:
    """Return whether a name is that of the family or of one of its samples."""
    family_names = {metric.name, family_name(metric)}
    if metric.type is MetricType.HISTOGRAM:
        family_names.update(f"{metric.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
    return not family_names.isdisjoint(names)
