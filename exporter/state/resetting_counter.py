"""A counter that goes on where another one starts again."""


class ResettingCounter:
    """Sums the growth of a foreign counter over its restarts.

    A value that fell began again at 0, so all of it is growth.
    """

    __slots__ = ("_last", "total")

    def __init__(self) -> None:
        """Begin at 0, before the foreign counter's first value."""
        self._last = 0
        self.total = 0

    def update(self, value: int) -> int:
        """Take the foreign counter's next value; return by how much it grew."""
        step = value - self._last if value >= self._last else value
        self._last = value
        self.total += step
        return step

    def restart(self) -> None:
        """Note that the foreign counter began again at 0, even if its value won't show it."""
        self._last = 0
