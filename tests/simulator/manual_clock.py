"""A clock that the test advances."""

from dataclasses import dataclass

MORNING = 1_795_404_800.0
"""2026-11-23 03:33:20 UTC."""


@dataclass(slots=True)
class ManualClock:
    """Returns `now`; `advance` adds to it."""

    now: float = MORNING

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
