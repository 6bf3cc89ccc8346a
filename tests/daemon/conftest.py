from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx

from tests.daemon.journal import Journal


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[None]:
    with blockbuster_ctx("exporter"):
        yield


@pytest.fixture
def journal() -> Iterator[Journal]:
    with Journal.open() as opened:
        yield opened
