"""Detection of a flood of log lines."""

MAX_LINES_PER_SECOND = 10_000
"""More log lines in one second are a flood. Ten thousand clients that reconnect make fewer."""


class LogRateLimit:
    """Detects a flood of log lines.

    From verb 8 on the daemon logs each line that it sends, 100,000 a second and more, and it reads
    no command while lines wait to be sent.
    """

    def __init__(self) -> None:
        self.exceeded = False
        self._second = 0.0
        self._lines = 0
        self._popped = False

    def exceeded_at(self, now: float) -> bool:
        """Count a line at `now`, in seconds; return whether it is the one that makes a flood."""
        if now - self._second >= 1:
            self._second = now
            self._lines = 0
        self._lines += 1
        if self._lines <= MAX_LINES_PER_SECOND or self.exceeded:
            return False
        self.exceeded = True
        return True

    def pop_trip(self) -> bool:
        """Return True once after a flood: the log has to be switched off."""
        if not self.exceeded or self._popped:
            return False
        self._popped = True
        return True
