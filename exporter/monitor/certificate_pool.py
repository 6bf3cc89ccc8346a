"""The certificate files of all daemons: each is read once, for all daemons that have it.

The files of one directory are read one after the other, in one thread: a file system that hangs
delays only these.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from exporter.aio import cancel_and_wait, run_in_daemon_thread
from exporter.certificates.files import CertificateFiles
from exporter.certificates.source import (
    CertificateFileState,
    CertificateSource,
    certificate_sources,
)
from exporter.management.batches import row_batches
from exporter.monitor.pool import log_crash
from exporter.state.daemon import DaemonState

INTERVAL = 60.0
"""Seconds between two checks of the files."""

START_SPREAD = 1.0
"""Seconds over which the first checks of all directories are spread."""

_AT_ONCE = 500
"""Daemons between two passes of the event loop: some milliseconds."""


class _Watch(msgspec.Struct, frozen=True):
    """The files in one directory, and the task that reads them."""

    files: CertificateFiles
    task: asyncio.Task[None]


class CertificatePool:
    """Watches the files of the daemons that were applied last, until it is closed."""

    def __init__(self) -> None:
        self._watches: dict[Path, _Watch] = {}
        self._states: dict[CertificateSource, CertificateFileState] = {}
        """What was read last of each file."""
        self._daemons: Mapping[CertificateSource, Sequence[DaemonState]] = {}
        self._is_closed = False

    async def apply(self, daemons: Sequence[DaemonState]) -> None:
        """Watch the files of these daemons from now on; what is known of other files is dropped."""
        users: dict[CertificateSource, list[DaemonState]] = {}
        for batch in row_batches(daemons, _AT_ONCE):
            for daemon in batch:
                for source in certificate_sources(daemon.target.daemon):
                    users.setdefault(source, []).append(daemon)
            await asyncio.sleep(0)
        directories: dict[Path, list[CertificateSource]] = {}
        for source in users:
            directories.setdefault(source.path.parent, []).append(source)
        self._daemons = users
        self._states = {source: self._states[source] for source in users if source in self._states}
        watches = self._watches.items()
        changed = [name for name, watch in watches if directories.get(name) != watch.files.sources]
        ended = {name: self._watches.pop(name) for name in changed}
        await cancel_and_wait(watch.task for watch in ended.values())
        await self._show(daemons)
        if self._is_closed:  # meanwhile
            return
        for index, (name, sources) in enumerate(directories.items()):
            if name not in self._watches:
                last = ended.get(name)
                files = last.files.replaced(sources) if last else CertificateFiles(sources)
                work = self._watch(files, START_SPREAD * index / len(directories))
                task = asyncio.create_task(work, name=f"certificates in {name}")
                task.add_done_callback(log_crash)
                self._watches[name] = _Watch(files, task)

    async def _watch(self, files: CertificateFiles, delay: float) -> None:
        """Check files after some seconds and then at each interval, forever."""
        await asyncio.sleep(delay)
        while True:
            with contextlib.suppress(OSError):  # no thread can be started: try again in a minute
                await self._record(await run_in_daemon_thread(files.read_all))
            await asyncio.sleep(INTERVAL)

    async def _record(self, states: Iterable[CertificateFileState]) -> None:
        """Record what was read of files; the daemons of those that have changed get it."""
        daemons: dict[DaemonState, None] = {}
        for state in states:
            if self._states.get(state.source) != state:
                self._states[state.source] = state
                daemons |= dict.fromkeys(self._daemons.get(state.source, ()))
        await self._show(daemons)

    async def _show(self, daemons: Iterable[DaemonState]) -> None:
        for batch in row_batches(daemons, _AT_ONCE):
            for daemon in batch:
                sources = certificate_sources(daemon.target.daemon)
                states = tuple(self._states[each] for each in sources if each in self._states)
                if states != daemon.certificates:
                    daemon.set_certificates(states)
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Cancel the tasks; `close` waits for their end."""
        for watch in self._watches.values():
            watch.task.cancel()

    async def close(self) -> None:
        """Stop watching."""
        self._is_closed = True
        await cancel_and_wait(watch.task for watch in self._watches.values())
        self._watches = {}
