import logging
from collections.abc import Iterator

import pytest

from tests.blocking import forbid_blocking
from tests.faults.announcements import LOGGER

__all__ = ["forbid_blocking"]


@pytest.fixture(autouse=True)
def _announcements_are_made() -> Iterator[None]:
    level = LOGGER.level
    LOGGER.setLevel(logging.INFO)
    yield
    LOGGER.setLevel(level)
