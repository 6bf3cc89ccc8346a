"""The exporter's log, as something to wait for."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Self

import pytest

from exporter.log import FIELDS, EventFormatter, Layout
from tests.fake_daemon import SAFETY


class LogCapture(logging.Handler):
    """Every record of the exporter and of asyncio, down to DEBUG, in order."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(EventFormatter(Layout.LOGFMT))
        self.lines: list[str] = []
        self.messages: list[str] = []
        self._unread: asyncio.Queue[logging.LogRecord] = asyncio.Queue()

    @classmethod
    @contextlib.contextmanager
    def open(cls) -> Iterator[Self]:
        """Capture the log until the block is left."""
        log = cls()
        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(log)
        try:
            yield log
        finally:
            root.removeHandler(log)
            root.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.lines.append(self.format(record))
        self.messages.append(record.getMessage())
        self._unread.put_nowait(record)

    async def reads(self, message: str) -> Mapping[str, object]:
        """Wait for the next record with this message; return its fields."""
        async with asyncio.timeout(SAFETY):
            while (record := await self._unread.get()).getMessage() != message:
                pass
        fields: Mapping[str, object] = getattr(record, FIELDS)
        return fields

    async def reads_down(self) -> object:
        """Wait until a daemon is down; return the reason."""
        return (await self.reads("daemon is down"))["reason"]

    async def reads_up(self) -> None:
        """Wait until a daemon is up."""
        await self.reads("daemon is up")


@pytest.fixture
def log() -> Iterator[LogCapture]:
    """Capture the log during one test. Import this into a test module or a conftest."""
    with LogCapture.open() as opened:
        yield opened
