"""What the exporter logs about its daemons, as something to wait for and to look up."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import NamedTuple, Self

from exporter.log import FIELDS
from exporter.management.errors import DownReason
from tests.fake_daemon import TEST_TIMEOUT

LOGGER = logging.getLogger("exporter")


class Announcement(NamedTuple):
    """One record: the daemon it is about, and why that is down if it is."""

    message: str
    daemon: object
    reason: DownReason | None


class Announcements(logging.Handler):
    """Every record of the exporter, in order."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.made: list[Announcement] = []
        self._news = asyncio.Event()

    @classmethod
    @contextlib.contextmanager
    def heard(cls) -> Iterator[Self]:
        """Listen until the block is left; blocks may overlap, so the level is not theirs."""
        handler = cls()
        LOGGER.addHandler(handler)
        try:
            yield handler
        finally:
            LOGGER.removeHandler(handler)

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        fields = getattr(record, FIELDS, {})
        reason = fields.get("reason")
        self.made.append(
            Announcement(
                record.getMessage(),
                fields.get("daemon"),
                None if reason is None else DownReason(reason),
            )
        )
        self._news.set()

    def reasons(self, daemon: str, *, since: int) -> list[DownReason]:
        """Return why this daemon was down, from the announcement of this number on."""
        return [made.reason for made in self.made[since:] if made.daemon == daemon and made.reason]

    async def down(self, daemon: str, *, since: int) -> DownReason:
        """Wait until this daemon is down; return why."""
        async with asyncio.timeout(TEST_TIMEOUT):
            while not (reasons := self.reasons(daemon, since=since)):
                self._news.clear()
                await self._news.wait()
        return reasons[0]
