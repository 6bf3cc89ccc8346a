import logging
from collections.abc import Iterator

import pytest

from tests.blocking import nothing_blocks
from tests.faults.announcements import LOGGER

__all__ = ["nothing_blocks"]


@pytest.fixture(autouse=True)
def _announcements_are_made() -> Iterator[None]:
    level = LOGGER.level
    LOGGER.setLevel(logging.INFO)
    yield
    LOGGER.setLevel(level)
