"""The states of daemons as a page of metrics.

Sample lines are the same in both formats; only the HELP and TYPE lines of a family differ. So the
lines of a daemon are rendered once for each change of its state, those of all its clients once per
poll, and a scrape puts cached text together.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from exporter.aio import run_cooperatively
from exporter.management.batches import WAITING, Steps, row_batches, run_batches
from exporter.metrics.encode import (
    ColumnLines,
    Lines,
    daemon_label,
    escape,
    escape_all,
    render,
    render_chunks,
)
from exporter.metrics.expected_clients import ExpectedClientLines
from exporter.metrics.family import (
    CollectPorts,
    Family,
    Inputs,
    Metric,
    MetricType,
    PerClient,
    PerClientValues,
    PerSessionInfo,
    inputs_of,
)
from exporter.metrics.info_lines import InfoLines
from exporter.metrics.negotiation import Format, family_name, help_and_type, negotiate
from exporter.metrics.page import Block, JoinedLines, Page
from exporter.state.daemon import DaemonState
from exporter.state.port_probes import ProbedPort

_UNRENDERED = -1
_NOTHING = object()
_NO_SAMPLES = object()
BLOCK_SIZE = 16 * 1024
"""Bytes from which on text is worth keeping its deflate form."""

_ROUNDS = 3
"""A daemon may change while others are rendered; `page` would render its clients at once."""

_DAEMONS_AT_ONCE = 50
"""Daemons of a page of which some may have to be rendered."""

_EMPTY = CollectorRegistry()

_FamilyInputs = Sequence[tuple[Family, Inputs]]
"""Families, each with the function whose value its text shows."""


class _Cache:
    """The rendered families of one daemon, and the inputs that each one shows.

    A port without a daemon has families, too: those of probes.
    """

    __slots__ = (
        "_column_lines",
        "_columns",
        "_columns_key",
        "_info_lines",
        "_inputs",
        "_name",
        "_names",
        "chunks",
        "is_refreshing",
        "label",
        "revision",
    )

    def __init__(self, name: str, families: int) -> None:
        self._name = escape(name)
        self.label = daemon_label(self._name)
        self.revision = _UNRENDERED
        self.is_refreshing = False
        self._inputs: list[object] = [_NOTHING] * families
        self.chunks: list[Lines | Block] = [()] * families
        self._column_lines: dict[str, ColumnLines] = {}
        self._info_lines: dict[str, InfoLines] = {}
        self._columns: tuple[Sequence[str], Sequence[object]] = (), ()
        self._columns_key: object = None
        self._names: tuple[object, Sequence[str]] = None, ()

    def refresh(self, daemon: DaemonState, families: _FamilyInputs) -> Iterator[None]:
        """Render the families that are out of date, pausing after each chunk of a large one.

        The state may change during a pause: what was rendered before is out of date again then. A
        text that is out of date when it is ready is dropped: a newer one may be there already.
        """
        revision, shown = _revision(daemon), self._inputs
        for index, (family, current) in enumerate(families):
            inputs = _inputs(family, current, daemon)
            if shown[index] == inputs:
                continue
            source = family.source
            chunk: Lines | Block
            if inputs is _NO_SAMPLES:
                chunk = ()
            elif isinstance(source, PerClient):
                parts = yield from self._render_large(family.metric, source, daemon)
                if inputs != _inputs(family, current, daemon):
                    continue
                chunk = _block(parts, self.chunks[index])
            elif isinstance(source, CollectPorts):
                chunk = render(family.metric, source.collect(daemon.port_probes))
            else:
                chunk = render(family.metric, source(daemon))
            self.chunks[index], shown[index] = chunk, inputs
        self.revision = revision

    def refresh_port(self, port: ProbedPort, families: _FamilyInputs) -> None:
        """Render the families of a port without a daemon, if they are out of date."""
        if self.revision == port.port_probes.revision:
            return
        for index, (family, _) in enumerate(families):
            if isinstance(family.source, CollectPorts):
                samples = family.source.collect(port.port_probes)
                self.chunks[index] = render(family.metric, samples)
        self.revision = port.port_probes.revision

    def _render_large(
        self, metric: Metric, source: PerClient, daemon: DaemonState
    ) -> Generator[None, None, list[bytes]]:
        match source:
            case PerClientValues(value=value):
                names, clients = yield from self._clients(source, daemon)
                column = self._column_lines.get(metric.name)
                if column is None:
                    column = self._column_lines[metric.name] = ColumnLines(metric, self._name)
                lines = column.render_chunks(names, clients, value)
            case PerSessionInfo(sessions=sessions):
                info_lines = self._info_lines.get(metric.name)
                if info_lines is None or info_lines.privacy is not daemon.privacy:
                    info_lines = InfoLines(metric, self._name, source, privacy=daemon.privacy)
                    self._info_lines[metric.name] = info_lines
                lines = info_lines.render_chunks(sessions(daemon))
            case _:
                samples = yield from source.collect(daemon)
                lines = render_chunks(metric, self._name, samples)
        return (yield from lines)

    def _clients(
        self, source: PerClientValues, daemon: DaemonState
    ) -> Generator[None, None, tuple[Sequence[str], Sequence[object]]]:
        """Return the escaped names and the clients, read once as long as they are the same."""
        key = source.clients, daemon.client_listing
        if self._columns_key != key:
            clients, privacy = source.clients(daemon), daemon.privacy
            # Both are copied before the first pause: the state may change during one.
            names, values = tuple(clients), tuple(clients.values())
            shown = self._columns[0]
            if self._names != (privacy, names):
                escaped: list[str] = []
                for batch in row_batches(names):
                    escaped += escape_all(list(map(privacy.name, batch)))
                    yield
                shown = tuple(escaped)
            self._columns, self._columns_key = (shown, values), key
            self._names = privacy, names
        return self._columns


def _block(parts: list[bytes], last: Lines | Block) -> Lines | Block:
    """Return text as a block if it is large: the last one if that has the same text."""
    if sum(map(len, parts)) < BLOCK_SIZE:
        text = b"".join(parts)
        return (text,) if text else ()
    return last if isinstance(last, Block) and last.parts == parts else Block(parts)


class _Rendered(NamedTuple):
    """The label of a daemon, and its text in each family."""

    label: bytes
    chunks: Sequence[Lines | Block]


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
        self.configure(families)
        self._ports = ports
        self._expected_clients = expected_clients
        self._registry = registry

    def configure(self, families: Sequence[Family]) -> None:
        """Render these families from now on."""
        self._families: _FamilyInputs = [(family, inputs_of(family)) for family in families]
        # The cache of a daemon goes with its state.
        self._caches: WeakKeyDictionary[DaemonState | ProbedPort, _Cache] = WeakKeyDictionary()

    async def prerender(self, *daemons: DaemonState) -> None:
        """Render what has changed, so that the next page is ready; yield to the event loop."""
        for _ in range(_ROUNDS):
            outdated = [
                daemon for daemon in daemons if self._cache(daemon).revision != _revision(daemon)
            ]
            if not outdated:
                return
            await run_cooperatively(self._refresh(outdated))

    async def prerender_expected_clients(self, daemons: Sequence[DaemonState]) -> None:
        """Render the clients that are expected on any server; `daemons` are all of them."""
        if self._expected_clients is not None:
            await run_cooperatively(self._expected_clients.refresh(daemons))

    def _refresh(self, daemons: Sequence[DaemonState]) -> Steps[None]:
        for daemon in daemons:
            cache = self._cache(daemon)
            while cache.is_refreshing:  # two at a time would make all text twice
                yield WAITING
            cache.is_refreshing = True
            try:
                yield from cache.refresh(daemon, self._families)
            finally:
                cache.is_refreshing = False
            yield

    def page(
        self,
        daemons: Sequence[DaemonState],
        *,
        accept: str = "",
        names: Collection[str] = (),
        include_self: bool = True,
    ) -> Page:
        """Render a page of the daemons as they are now, without a pause; see `page_in_turns`."""
        return run_batches(
            self.page_in_turns(daemons, accept=accept, names=names, include_self=include_self)
        )

    def page_in_turns(
        self,
        daemons: Sequence[DaemonState],
        *,
        accept: str = "",
        names: Collection[str] = (),
        include_self: bool = True,
    ) -> Generator[None, None, Page]:
        """Render a page of the daemons, yielding after some of them and after each family.

        Args:
            daemons: the states of the daemons.
            accept: the request's Accept header; OpenMetrics only where it asks for that.
            names: metric names to restrict the page to (`name[]`); all where empty.
            include_self: whether clients that are expected on any server, ports without a daemon
                and the metrics about the exporter follow; `daemons` are all of them then.
        """
        expected: Sequence[tuple[Metric, Block]] = ()
        if include_self and self._expected_clients is not None:
            yield from self._expected_clients.refresh(daemons)
            expected = tuple(self._expected_clients.chunks())
        rendered: list[_Rendered] = []
        for batch in row_batches(daemons, _DAEMONS_AT_ONCE):
            rendered += map(self._fresh, batch)
            yield
        if include_self:
            rendered += map(self._fresh_port, self._ports())
        self_metrics = self._self_collector(names) if include_self else _EMPTY
        columns = _columns(self._families, rendered, expected)
        return (
            yield from _join(
                columns, names, self_metrics=self_metrics, text_format=negotiate(accept)
            )
        )

    def _self_collector(self, names: Collection[str]) -> Collector:
        return self._registry.restricted_registry(list(names)) if names else self._registry

    def _fresh(self, daemon: DaemonState) -> _Rendered:
        cache = self._cache(daemon)
        if cache.revision != _revision(daemon):
            for _ in cache.refresh(daemon, self._families):
                pass
        return _Rendered(cache.label, tuple(cache.chunks))

    def _fresh_port(self, port: ProbedPort) -> _Rendered:
        cache = self._cache(port)
        cache.refresh_port(port, self._families)
        return _Rendered(cache.label, tuple(cache.chunks))

    def _cache(self, owner: DaemonState | ProbedPort) -> _Cache:
        cache = self._caches.get(owner)
        if cache is None:
            cache = self._caches[owner] = _Cache(owner.name, len(self._families))
        return cache


def _columns(
    families: _FamilyInputs,
    rendered: Sequence[_Rendered],
    expected: Iterable[tuple[Metric, Block]],
) -> Iterator[tuple[Metric, Sequence[tuple[bytes, Lines | Block]]]]:
    """Yield each metric with its texts and their labels: one for each daemon, or one for all."""
    for index, (family, _) in enumerate(families):
        yield (
            family.metric,
            [(label, text) for label, chunks in rendered if (text := chunks[index])],
        )
    for metric, block in expected:
        yield metric, [(b"", block)]


def _join(
    columns: Iterable[tuple[Metric, Sequence[tuple[bytes, Lines | Block]]]],
    names: Collection[str],
    *,
    self_metrics: Collector,
    text_format: Format,
) -> Generator[None, None, Page]:
    """Join the texts of all metrics and of `self_metrics`; yield after each metric."""
    blocks: list[Block] = []
    small = JoinedLines()
    for metric, column in columns:
        if not column or (names and not _is_named(metric, names)):
            continue
        small.add(b"", (help_and_type(metric, openmetrics=text_format.openmetrics),))
        for label, text in column:
            if isinstance(text, Block):
                blocks += (Block(small), text)
                small = JoinedLines()
            else:
                small.add(label, text)
        yield
    small.add(b"", (text_format.encode(self_metrics),))
    return Page((*blocks, Block(small)), text_format.content_type)


def _inputs(family: Family, current: Inputs, daemon: DaemonState) -> object:
    """Return what the samples of a family are made from now, `_NO_SAMPLES` if it has none."""
    return current(daemon) if daemon.up or not family.while_up else _NO_SAMPLES


def _revision(daemon: DaemonState) -> int:
    """Return a number that changes with every change of what is rendered."""
    return daemon.revision + daemon.port_probes.revision


def _is_named(metric: Metric, names: Collection[str]) -> bool:
    """Return whether a name is that of the family or of one of its samples."""
    family_names = {metric.name, family_name(metric)}
    if metric.type is MetricType.HISTOGRAM:
        family_names.update(f"{metric.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
    return not family_names.isdisjoint(names)
