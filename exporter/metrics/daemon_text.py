"""The text of one daemon in all families.

Sample lines are the same in both formats; only the HELP and TYPE lines of a family differ. So the
lines of a daemon are rendered once for each change of its state, those of all its clients once per
poll.
"""

from collections.abc import Generator, Iterator, Sequence

from exporter.management.batches import row_batches
from exporter.metrics.column import Column, Text
from exporter.metrics.encode import (
    CHUNK_SIZE,
    ColumnLines,
    column_lines,
    daemon_label,
    escape,
    escape_all,
    render,
    render_chunks,
)
from exporter.metrics.family import (
    CollectPorts,
    Metric,
    PerClient,
    PerClientValues,
    PerSessionInfo,
)
from exporter.metrics.info_lines import InfoLines
from exporter.metrics.page import Block
from exporter.state.daemon import DaemonState
from exporter.state.port_probes import ProbedPort

BLOCK_SIZE = 16 * 1024
"""Bytes from which on text is worth keeping its deflate form."""

_UNRENDERED = -1
_NOTHING = object()
_NO_SAMPLES = object()


class DaemonText:
    """The rendered families of one daemon, and the inputs that each one shows.

    A port without a daemon has families, too: those of probes.
    """

    __slots__ = (
        "_columns",
        "_columns_key",
        "_inputs",
        "_is_shared",
        "_lines",
        "_name",
        "_names",
        "_texts",
        "blocks",
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
        self._texts: list[Text] = [()] * families
        self._is_shared = False
        self.blocks = 0
        self._lines: dict[str, ColumnLines | InfoLines] = {}
        self._columns: tuple[Sequence[str], Sequence[object]] = (), ()
        self._columns_key: object = None
        self._names: tuple[object, Sequence[str]] = None, ()

    def share(self) -> Sequence[Text]:
        """Return the text in each family; a later change leaves it as it is."""
        self._is_shared = True
        return self._texts

    def _set(self, index: int, column: Column, text: Text) -> None:
        last = self._texts[index]
        if text == last:
            return
        self.blocks += isinstance(text, Block) - isinstance(last, Block)
        if self._is_shared:
            self._texts, self._is_shared = self._texts.copy(), False
        self._texts[index] = text
        column.deflated.clear()

    def refresh(self, daemon: DaemonState, columns: Sequence[Column]) -> Iterator[None]:
        """Render the families that are out of date, pausing after each chunk of a large one.

        The state may change during a pause: what was rendered before is out of date again then. A
        text that is out of date when it is ready is dropped: a newer one may be there already.
        """
        revision, shown = revision_of(daemon), self._inputs
        for index, column in enumerate(columns):
            inputs = _inputs(column, daemon)
            if shown[index] == inputs:
                continue
            family = column.family
            source = family.source
            text: Text
            if inputs is _NO_SAMPLES:
                text = ()
            elif isinstance(source, PerClient):
                parts = yield from self._render_large(family.metric, source, daemon)
                if inputs != _inputs(column, daemon):
                    continue
                text = self._small_or_block(parts, self._texts[index], column)
            elif isinstance(source, CollectPorts):
                text = render(family.metric, source.collect(daemon.port_probes))
            else:
                text = render(family.metric, source(daemon))
            self._set(index, column, text)
            shown[index] = inputs
        self.revision = revision

    def _small_or_block(self, parts: list[bytes], last: Text, column: Column) -> Text:
        """Return text as a block if it is large: the last one if that has the same text."""
        if sum(map(len, parts)) < BLOCK_SIZE:
            return column.stored(self.label, b"".join(parts))
        return last if isinstance(last, Block) and last.parts == parts else Block(parts)

    def refresh_port(self, port: ProbedPort, columns: Sequence[Column]) -> None:
        """Render the families of a port without a daemon, if they are out of date."""
        if self.revision == port.port_probes.revision:
            return
        for index, column in enumerate(columns):
            source = column.family.source
            if isinstance(source, CollectPorts):
                samples = source.collect(port.port_probes)
                self._set(index, column, render(column.family.metric, samples))
        self.revision = port.port_probes.revision

    def _render_large(
        self, metric: Metric, source: PerClient, daemon: DaemonState
    ) -> Generator[None, None, list[bytes]]:
        match source:
            case PerClientValues(value=value):
                names, clients = yield from self._clients(source, daemon)
                if len(names) <= CHUNK_SIZE:  # nothing is worth being kept
                    self._lines.pop(metric.name, None)
                    values = tuple(map(value, clients))
                    return [column_lines(metric, names, values, daemon=self._name)]
                column = self._lines.get(metric.name)
                if not isinstance(column, ColumnLines):
                    column = self._lines[metric.name] = ColumnLines(metric, self._name)
                lines = column.render_chunks(names, clients, value)
            case PerSessionInfo(sessions=sessions):
                info = self._lines.get(metric.name)
                if not isinstance(info, InfoLines) or info.privacy is not daemon.privacy:
                    info = InfoLines(metric, self._name, source, privacy=daemon.privacy)
                    self._lines[metric.name] = info
                lines = info.render_chunks(sessions(daemon))
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


def revision_of(daemon: DaemonState) -> int:
    """Return a number that changes with every change of what is rendered."""
    return daemon.revision + daemon.port_probes.revision


def _inputs(column: Column, daemon: DaemonState) -> object:
    """Return what the samples of a family are made from now, `_NO_SAMPLES` if it has none."""
    return column.inputs(daemon) if daemon.up or not column.family.while_up else _NO_SAMPLES
