"""Polls of a daemon's status file, while the management session is down."""

import asyncio
import logging
import math
import time
from collections.abc import Callable

from exporter.aio import run_cooperatively
from exporter.log import Level, event
from exporter.management.errors import (
    DownReason,
    EndpointNotFound,
    ManagementError,
    ReplyError,
    StaleStatusFileError,
)
from exporter.management.status import ServerStatus, Status, StatusReader
from exporter.monitor.monitor import START_SPREAD, OnUpdated
from exporter.monitor.status_file import ContentAge, StatusFile
from exporter.state.daemon import DaemonState
from exporter.state.down import DownState
from exporter.state.status_order import StatusFileContent

_UNSET = ""

_log = logging.getLogger(__name__)


class StatusFilePoller:
    """Reads the status file of one daemon at each interval without a management session."""

    def __init__(
        self,
        daemon: DaemonState,
        *,
        on_updated: OnUpdated | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare to read the file of the daemon's target into `daemon`."""
        config = daemon.target.daemon
        if config.status_file is None:
            raise ValueError(f"{daemon.name}: no status file")
        self._daemon = daemon
        self._max_age = config.status_max_age
        self._file = StatusFile(config.status_file, timeout=config.timeout)
        self._reader = StatusReader(routes=daemon.target.clients.routes)
        self._on_updated = on_updated
        self._clock = clock
        self._age = ContentAge()
        self._last_logged: DownReason | str | None = _UNSET

    async def run(self, stagger: float = 0.0) -> None:
        """Poll at each interval until cancelled; `stagger`, 0 to 1, spreads many daemons.

        The first management session is attempted before the first poll of the file.
        """
        interval = self._daemon.target.poll_interval
        if self._daemon.monitored_since is None:
            self._daemon.monitored_since = asyncio.get_running_loop().time()
        await asyncio.sleep(stagger * START_SPREAD)
        while self._daemon.has_management and not self._daemon.was_polled:  # noqa: ASYNC110 -- once
            await asyncio.sleep(min(interval, START_SPREAD))
        await self._poll_if_needed()
        await asyncio.sleep(interval * (0.5 + stagger))
        while True:
            await self._poll_if_needed()
            await asyncio.sleep(interval)

    async def _poll_if_needed(self) -> None:
        if not self._daemon.management_up:
            await self.poll()

    async def poll(self) -> None:
        """Read the file once; log an error, and the first success after it."""
        error = await self.read()
        if error is not None:
            await run_cooperatively(self._daemon.forget(self._clock()))
            if self._is_news(error.reason):
                message = DownState(error).message(self._daemon.privacy)
                name = self._daemon.name
                event(_log, Level.WARN, "cannot use the status file", daemon=name, error=message)
            return
        if self._daemon.management_up:
            return
        if self._is_news(None):
            event(_log, Level.INFO, "using the status file", daemon=self._daemon.name)
        if self._on_updated is not None:
            await self._on_updated(self._daemon)

    async def read(self) -> ManagementError | None:
        """Read the file once into the daemon's state; return what is wrong with it."""
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        try:
            content = await self._read_content()
        except EndpointNotFound as error:
            self._age.record_absent(started_at)
            self._daemon.on_status_file_error(error)
            return error
        except ManagementError as error:
            self._daemon.on_status_file_error(error)
            return error
        await run_cooperatively(
            self._daemon.on_status_file(
                content,
                now=self._clock(),
                duration=loop.time() - started_at,
                monitored_for=self._age.absent_until - (self._daemon.monitored_since or math.inf),
            )
        )
        return None

    async def _read_content(self) -> StatusFileContent:
        file = await self._file.read()
        age = self._age.update(
            file.digest,
            written_at=file.written_at,
            clock=self._clock(),
            now=asyncio.get_running_loop().time(),
        )
        batches = self._reader.read_in_batches(file.lines, printed_at=self._age.written_at)
        status = await run_cooperatively(batches)
        self._check_readable(status)
        if age > self._max_age:
            raise StaleStatusFileError(
                f"{self._file.path}: the last status is {age:.0f} s old; does the daemon "
                "run, and does it write one more often than 'status_max_age' says?"
            )
        return StatusFileContent(status, file.written_at, file.digest)

    def _check_readable(self, status: Status) -> None:
        """Refuse a status none of whose client rows can be parsed: it would show an empty server.

        A status of the management interface may hide a client that way; a file is rather damaged.
        """
        match status:
            case ServerStatus(clients=(), pending=(), unparsed_clients=rows) if rows:
                raise ReplyError(
                    f"{self._file.path}: none of its {rows} client rows can be parsed; is it "
                    "damaged, or written by another program?"
                )
            case _:
                pass

    def _is_news(self, reason: DownReason | None) -> bool:
        """Return whether the log has to show a change; it doesn't show every poll."""
        changed = reason is not self._last_logged
        self._last_logged = reason
        return changed
