"""The output: progress on standard error; the machine and tables on standard output."""

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.result import Result

_HEADER = ("benchmark", "measured", "reference", "ratio", "limit", "")


def progress(text: str) -> None:
    """Print what the program is doing to standard error; standard output is for the table."""
    print(f"   {text}", file=sys.stderr, flush=True)


def format_results(results: Iterable[Result]) -> str:
    """Return the results as a table."""
    return format_table(_HEADER, map(_cells, results))


def format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with aligned columns; columns of numbers are aligned right."""
    body = list(rows)
    columns = list(zip(head, *body, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(map(_is_number, column[1:])) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in (head, *body)
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def describe_machine() -> str:
    """Return the interpreter, the system, the processor and its load."""
    return (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores{_model()}, "
        f"load {os.getloadavg()[0]:.1f} at the start"
    )


def _cells(result: Result) -> tuple[str, ...]:
    limit, verdict = "", ""
    if result.limit is not None:
        limit, verdict = result.limit.text, "ok" if result.limit.met else "FALLS SHORT"
    return (result.name, result.measured, result.reference, result.ratio, limit, verdict)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").isdecimal()


def _model() -> str:
    try:
        information = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    names = [line for line in information.splitlines() if line.startswith("model name")]
    return f" of {names[0].partition(':')[2].strip()}" if names else ""
