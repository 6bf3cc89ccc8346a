"""Polls of a daemon's status file, while nobody can ask the daemon itself."""

import asyncio
import logging
import time
from collections.abc import Callable

from exporter.aio import run_cooperatively
from exporter.config.schema import DaemonConfig
from exporter.log import Level, event
from exporter.management.errors import DownReason, ManagementError, StaleStatusFileError
from exporter.management.status import Status, StatusReader
from exporter.monitor.monitor import START_SPREAD, OnPolled
from exporter.state.daemon import DaemonState
from exporter.state.down import DownState
from exporter.transport.status_file import StatusFile

_NOTHING = ""

_log = logging.getLogger(__name__)


class StatusFilePoller:
    """Reads the file at each interval at which the management session doesn't work."""

    def __init__(
        self,
        daemon: DaemonConfig,
        record: DaemonState,
        file: StatusFile,
        *,
        routes: bool,
        prepare: OnPolled | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare to read `file` into `record`."""
        self._daemon = daemon
        self._record = record
        self._file = file
        self._reader = StatusReader(routes=routes)
        self._prepare = prepare
        self._clock = clock
        self._said: DownReason | str | None = _NOTHING

    async def run(self, interval: float, phase: float = 0.0) -> None:
        """Read every `interval` seconds until cancelled; `phase`, 0 to 1, spreads many daemons.

        Where there is a session to be had, it is tried first.
        """
        await asyncio.sleep(phase * START_SPREAD)
        while self._record.has_management and not self._record.was_polled:  # noqa: ASYNC110 -- once
            await asyncio.sleep(min(interval, START_SPREAD))
        await self._poll_if_needed()
        await asyncio.sleep(interval * (0.5 + phase))
        while True:
            await self._poll_if_needed()
            await asyncio.sleep(interval)

    async def _poll_if_needed(self) -> None:
        if not self._record.management_up:
            await self.poll()

    async def poll(self) -> None:
        """Read the file once, and log what is new about that."""
        error = await self.read()
        if error is not None:
            self._record.forget(self._clock())
            if self._changed(error.reason):
                text = "cannot use the status file"
                told = DownState(error).message(self._record.privacy)
                event(_log, Level.WARN, text, daemon=self._record.name, error=told)
            return
        if self._record.management_up:
            return
        if self._changed(None):
            text = "daemon is watched by its status file"
            event(_log, Level.INFO, text, daemon=self._record.name)
        if self._prepare is not None:
            await self._prepare(self._record)

    async def read(self) -> ManagementError | None:
        """Read the file once; return what is wrong with it, which goes into the record, too."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            status = await self._status()
        except ManagementError as error:
            self._record.on_status_file_error(error)
            return error
        if not self._record.management_up:  # else it has come back meanwhile, and knows better
            self._record.on_status_file(status, now=self._clock(), duration=loop.time() - began)
        return None

    async def _status(self) -> Status:
        status = await run_cooperatively(self._reader.read_in_chunks(await self._file.read()))
        age = self._clock() - status.updated
        if age > self._daemon.status_max_age:
            raise StaleStatusFileError(
                f"{self._daemon.status_file}: the last status is {age:.0f} s old; does the daemon "
                "run, and does it write one more often than 'status_max_age' says?"
            )
        return status

    def _changed(self, what: DownReason | None) -> bool:
        """Tell whether this is news for the log: a change, not every poll."""
        changed = what is not self._said
        self._said = what
        return changed
