"""Memory and CPU time of a process or of a call (Linux)."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

_KIBI = 1024


class Footprint(msgspec.Struct, frozen=True):
    """Memory in bytes: resident, and the part of it that is private to the process."""

    resident: int
    private_dirty: int


def footprint(pid: int) -> Footprint:
    """Return the memory that a process uses now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    sizes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])
    }
    return Footprint(sizes["Rss"] * _KIBI, sizes["Private_Dirty"] * _KIBI)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, in steps of a hundredth of a second."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()  # the process name may contain blanks and brackets
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def processor_wait(pid: int) -> float:
    """Return the seconds that the main thread of a process has waited for a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9


def cpu_time(call: Callable[[], object]) -> float:
    """Return the CPU time of a call in seconds; other threads and processes do not count."""
    started = time.thread_time()
    call()
    return time.thread_time() - started
