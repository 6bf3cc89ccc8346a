"""What the exporter logs about its daemons: entries to search and to wait for."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import NamedTuple, Self

from exporter.log import FIELDS
from exporter.management.errors import DownReason
from tests.fake_daemon import TEST_TIMEOUT

LOGGER = logging.getLogger("exporter")


class LogEntry(NamedTuple):
    """One log record, with the daemon that it names and the reason if that is down."""

    message: str
    daemon: object
    reason: DownReason | None


class DaemonLog(logging.Handler):
    """A handler that keeps every record of the exporter, in order."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.entries: list[LogEntry] = []
        self._changed = asyncio.Event()

    @classmethod
    @contextlib.contextmanager
    def capture(cls) -> Iterator[Self]:
        """Capture until the block ends. Blocks may overlap, so they leave the level alone."""
        handler = cls()
        LOGGER.addHandler(handler)
        try:
            yield handler
        finally:
            LOGGER.removeHandler(handler)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        fields = getattr(record, FIELDS, {})
        reason = fields.get("reason")
        self.entries.append(
            LogEntry(
                record.getMessage(),
                fields.get("daemon"),
                None if reason is None else DownReason(reason),
            )
        )
        self._changed.set()

    def down_reasons(self, daemon: str, *, since: int) -> list[DownReason]:
        """Return the reasons for which this daemon was down, from entry `since` on."""
        return [
            entry.reason
            for entry in self.entries[since:]
            if entry.daemon == daemon and entry.reason
        ]

    async def wait_down(self, daemon: str, *, since: int) -> DownReason:
        """Wait until this daemon is logged as down; return the reason."""
        async with asyncio.timeout(TEST_TIMEOUT):
            while not (reasons := self.down_reasons(daemon, since=since)):
                self._changed.clear()
                await self._changed.wait()
        return reasons[0]
