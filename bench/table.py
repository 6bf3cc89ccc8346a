"""Figures as a table for a terminal, and the machine they come from."""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.figures import Figure

_HEADER = ("what", "measured", "beside", "ratio", "bound", "")


def render(figures: Iterable[Figure]) -> str:
    """Return the table, one figure a line."""
    rows = [_HEADER, *map(_cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def machine() -> str:
    """Say what this ran on."""
    return (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores{_model()}, "
        f"load {os.getloadavg()[0]:.1f} at the start"
    )


def _cells(figure: Figure) -> tuple[str, ...]:
    bound, verdict = "", ""
    if figure.bound is not None:
        bound, verdict = figure.bound.text, "holds" if figure.bound.holds else "FALLS SHORT"
    return (figure.what, figure.measured, figure.reference, figure.ratio, bound, verdict)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _model() -> str:
    try:
        information = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    names = [line for line in information.splitlines() if line.startswith("model name")]
    return f" of {names[0].partition(':')[2].strip()}" if names else ""
