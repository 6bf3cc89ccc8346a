"""The memory in use by the exporter's code; the simulator's and the tests' do not count."""

import gc
import tracemalloc
from pathlib import Path

from exporter import management, monitor, state, transport

_EXPORTER = [
    tracemalloc.Filter(
        inclusive=True, filename_pattern=str(Path(str(package.__file__)).parent / "*")
    )
    for package in (management, monitor, state, transport)
]


def memory_in_use() -> int:
    """Return the bytes in use; `tracemalloc` must be tracing."""
    gc.collect()
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(_EXPORTER).traces)
