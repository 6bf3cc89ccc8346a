"""A fixture under which a call that blocks the event loop fails the test."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def forbid_blocking() -> Iterator[BlockBuster]:
    """Fail the test on a blocking call. Import this into a test module or a conftest."""
    with blockbuster_ctx("exporter") as blockbuster:
        # Reading /proc takes microseconds: it involves no disk.
        for function in blockbuster.functions.values():
            function.can_block_in("prometheus_client/process_collector.py", "collect")
        yield blockbuster
