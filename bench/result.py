"""The result of a benchmark: a value, the reference it is compared with, and its limit."""

import statistics
from collections.abc import Sequence

import msgspec

MILLI = 1e3
KIBI = 2**10
MEBI = 2**20


class Limit(msgspec.Struct, frozen=True):
    """A limit as text, and whether the value is within it."""

    text: str
    met: bool


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table; the name and the measured value are required."""

    name: str
    measured: str
    reference: str = ""
    ratio: str = ""
    limit: Limit | None = None


def at_most(value: float, limit: float, unit: str) -> Limit:
    """Return an upper limit."""
    return Limit(f"<= {limit:g} {unit}".rstrip(), value <= limit)


def at_least(value: float, limit: float, unit: str) -> Limit:
    """Return a lower limit."""
    return Limit(f">= {limit:g} {unit}".rstrip(), value >= limit)


def format_ratio(ratio: float) -> str:
    """Return a ratio as text."""
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.0f}x"  # noqa: PLR2004 -- significant digits


def format_ms(seconds: float) -> str:
    """Return a duration in seconds as milliseconds."""
    return f"{seconds * MILLI:.1f} ms"


def format_spread(seconds: Sequence[float]) -> str:
    """Return the median, minimum and maximum of durations in seconds as milliseconds."""
    return (
        f"{format_ms(statistics.median(seconds))} "
        f"({min(seconds) * MILLI:.1f} to {max(seconds) * MILLI:.1f})"
    )


def format_mib(count: float) -> str:
    """Return a number of bytes as MiB."""
    return f"{count / MEBI:.1f} MiB"
