"""The lists of issued certificates of all daemons: each is read once, for all that share it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from exporter.aio import cancel_and_wait
from exporter.certificates.pki import PkiSource, PkiState, pki_source
from exporter.management.batches import row_batches
from exporter.monitor.pool import log_crash
from exporter.state.daemon import DaemonState

if TYPE_CHECKING:
    from exporter.certificates.pki_watch import PkiWatch

_AT_ONCE = 500
"""Daemons between two passes of the event loop: some milliseconds."""


class _PkiEntry(msgspec.Struct, frozen=True):
    watch: "PkiWatch"
    task: asyncio.Task[None]


class PkiPool:
    """Watches the lists that were applied last, until it is closed."""

    def __init__(self, on_checked: Callable[[PkiState], None] = lambda _: None) -> None:
        """`on_checked` gets the state of a list after each check, as all daemons that use it do."""
        self._on_checked = on_checked
        self._entries: dict[PkiSource, _PkiEntry] = {}
        self._daemons: dict[PkiSource, list[DaemonState]] = {}
        self._is_closed = False

    @property
    def states(self) -> Sequence[PkiState]:
        """What is known of each list."""
        return [entry.watch.state for entry in self._entries.values()]

    async def apply(self, daemons: Iterable[DaemonState]) -> None:
        """Watch the lists of these daemons from now on; what is known of others is dropped."""
        self._daemons = {}  # until all are found: they get what is known then
        found: dict[PkiSource, list[DaemonState]] = {}
        for batch in row_batches(daemons, _AT_ONCE):
            for daemon in batch:
                source = pki_source(daemon.target)
                if source is not None:
                    found.setdefault(source, []).append(daemon)
            await asyncio.sleep(0)
        removed = [source for source in self._entries if source not in found]
        await cancel_and_wait([self._entries.pop(source).task for source in removed])
        if self._is_closed:  # meanwhile
            return
        self._daemons = found
        for source in found:
            if source not in self._entries:
                self._entries[source] = self._start(source)
        watches = {source: self._entries[source].watch for source in found}
        for source, users in found.items():
            for batch in row_batches(users, _AT_ONCE):
                for daemon in batch:
                    daemon.set_pki(watches[source].state)
                await asyncio.sleep(0)

    def _start(self, source: PkiSource) -> _PkiEntry:
        from exporter.certificates.pki_watch import PkiWatch  # noqa: PLC0415 -- only for these

        watch = PkiWatch(source)
        task = asyncio.create_task(
            watch.run(self._deliver), name=f"issued certificates {source.path}"
        )
        task.add_done_callback(log_crash)
        return _PkiEntry(watch, task)

    def _deliver(self, state: PkiState) -> None:
        for daemon in self._daemons.get(state.source, ()):
            daemon.set_pki(state)
        self._on_checked(state)

    def stop(self) -> None:
        """Cancel the tasks; `close` waits for their end."""
        for entry in self._entries.values():
            entry.task.cancel()

    async def close(self) -> None:
        """Stop watching."""
        self._is_closed = True
        await cancel_and_wait(entry.task for entry in self._entries.values())
        self._entries = {}
