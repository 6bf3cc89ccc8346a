import logging
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.blocking import forbid_blocking
from tests.faults.daemon_log import LOGGER
from tests.faults.idle_clock import IdleClockLoop

__all__ = ["forbid_blocking"]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], IdleClockLoop]]:
    return {"idle clock": IdleClockLoop}


@pytest.fixture(autouse=True)
def _log_info_records() -> Iterator[None]:
    level = LOGGER.level
    LOGGER.setLevel(logging.INFO)
    yield
    LOGGER.setLevel(level)
