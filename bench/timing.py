"""How long a call takes."""

import time
from collections.abc import Callable


def durations(call: Callable[[], object], *, times: int) -> list[float]:
    """Return the seconds of each of several calls, after one that doesn't count."""
    call()
    return [_duration(call) for _ in range(times)]


def _duration(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
