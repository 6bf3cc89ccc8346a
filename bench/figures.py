"""A line of the table: what was measured, beside what, and whether it keeps its bound."""

import statistics
from collections.abc import Sequence

import msgspec

MILLI = 1e3
MEBI = 2**20


class Bound(msgspec.Struct, frozen=True):
    """A bound as text, and whether the figure keeps it."""

    text: str
    holds: bool


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line; all but the first two may be missing."""

    what: str
    measured: str
    reference: str = ""
    ratio: str = ""
    bound: Bound | None = None


def at_most(value: float, limit: float, unit: str) -> Bound:
    """Return an upper bound."""
    return Bound(f"<= {limit:g} {unit}".rstrip(), value <= limit)


def at_least(value: float, limit: float, unit: str) -> Bound:
    """Return a lower bound."""
    return Bound(f">= {limit:g} {unit}".rstrip(), value >= limit)


def times(ratio: float) -> str:
    """Write a ratio."""
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.0f}x"  # noqa: PLR2004 -- digits that count


def milliseconds(seconds: float) -> str:
    """Write a duration given in seconds."""
    return f"{seconds * MILLI:.1f} ms"


def spread(seconds: Sequence[float]) -> str:
    """Write several durations given in seconds: median, least, most."""
    return (
        f"{milliseconds(statistics.median(seconds))} "
        f"({min(seconds) * MILLI:.1f} to {max(seconds) * MILLI:.1f})"
    )


def mebibytes(count: float) -> str:
    """Write a number of bytes."""
    return f"{count / MEBI:.1f} MiB"
