"""How often and how long things are measured."""

import msgspec


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """Repetitions; each gives one value, and the median counts."""

    starts: int
    scrapes: int
    polls: int
    calls: int
    fleet_seconds: float
    churn_hours: int


FULL = Effort(starts=15, scrapes=30, polls=12, calls=15, fleet_seconds=60.0, churn_hours=24)
QUICK = Effort(starts=5, scrapes=10, polls=4, calls=5, fleet_seconds=15.0, churn_hours=4)
