"""Fixtures for the log: capture records and wait for them, or restore the logging setup."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Self

import pytest

from exporter.log import FIELDS, EventFormatter, LogFormat
from tests.fake_daemon import TEST_TIMEOUT


class LogCapture(logging.Handler):
    """A handler that keeps all records of the exporter and asyncio, DEBUG included, in order."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(EventFormatter(LogFormat.LOGFMT))
        self.lines: list[str] = []
        self.messages: list[str] = []
        self._unread: asyncio.Queue[logging.LogRecord] = asyncio.Queue()

    @classmethod
    @contextlib.contextmanager
    def open(cls) -> Iterator[Self]:
        """Capture the log until the block ends."""
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
        """Keep the record."""
        self.lines.append(self.format(record))
        self.messages.append(record.getMessage())
        self._unread.put_nowait(record)

    async def wait_for(self, message: str) -> Mapping[str, object]:
        """Wait for the next record with this message and return its fields."""
        async with asyncio.timeout(TEST_TIMEOUT):
            while (record := await self._unread.get()).getMessage() != message:
                pass
        fields: Mapping[str, object] = getattr(record, FIELDS)
        return fields

    async def wait_for_down(self) -> object:
        """Wait until a daemon is logged as down and return the reason."""
        return (await self.wait_for("daemon is down"))["reason"]

    async def wait_for_up(self) -> None:
        """Wait until a daemon is logged as up."""
        await self.wait_for("daemon is up")


@pytest.fixture
def log() -> Iterator[LogCapture]:
    """Capture the log during one test. Import this into a test module or a conftest."""
    with LogCapture.open() as opened:
        yield opened


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    """Restore the root logger after a test that runs the program in this process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
