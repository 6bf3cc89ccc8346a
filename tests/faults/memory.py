"""How much memory the exporter's side of a session keeps; the simulator's and ours don't count."""

import gc
import tracemalloc
from pathlib import Path

from exporter import management, monitor, state, transport

_OURS = [
    tracemalloc.Filter(
        inclusive=True, filename_pattern=str(Path(str(package.__file__)).parent / "*")
    )
    for package in (management, monitor, state, transport)
]


def kept() -> int:
    """Return the bytes in use; `tracemalloc` must be tracing."""
    gc.collect()
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(_OURS).traces)
