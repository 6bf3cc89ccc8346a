"""A clock that goes when it is told to."""

from dataclasses import dataclass

MORNING = 1_795_404_800.0
"""2026-11-23 03:33:20 UTC."""


@dataclass(slots=True)
class ManualClock:
    """Tells `now`; `advance` lets seconds pass."""

    now: float = MORNING

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
