"""What a benchmark is: a function of sample sizes that returns results."""

from collections.abc import Callable

import msgspec

from bench.result import Result


class SampleSizes(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long a benchmark measures; the median of the values counts."""

    starts: int
    scrapes: int
    polls: int
    calls: int
    fleet_seconds: float
    churn_hours: int
    hostile_seconds: float


FULL = SampleSizes(
    starts=15,
    scrapes=30,
    polls=12,
    calls=15,
    fleet_seconds=60.0,
    churn_hours=24,
    hostile_seconds=10.0,
)
QUICK = SampleSizes(
    starts=5, scrapes=10, polls=4, calls=5, fleet_seconds=15.0, churn_hours=4, hostile_seconds=5.0
)

Benchmark = Callable[[SampleSizes], list[Result]]
