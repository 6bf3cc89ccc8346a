"""Whatever blocks the event loop fails the test that did it."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[BlockBuster]:
    """Import this into a test module or a conftest."""
    with blockbuster_ctx("exporter") as blockbuster:
        # /proc is no disk: reading it takes microseconds.
        for function in blockbuster.functions.values():
            function.can_block_in("prometheus_client/process_collector.py", "collect")
        yield blockbuster
