"""What the kernel says of a process (Linux)."""

import os
from pathlib import Path

import msgspec

_KIBI = 1024


class Footprint(msgspec.Struct, frozen=True):
    """Memory in bytes: resident, and that part of it which is this process's alone."""

    resident: int
    private_dirty: int


def footprint(pid: int) -> Footprint:
    """Return the memory of a process now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    sizes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])
    }
    return Footprint(sizes["Rss"] * _KIBI, sizes["Private_Dirty"] * _KIBI)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, in steps of a hundredth of a second."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")
