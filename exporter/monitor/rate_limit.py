"""Detection of a flood of log lines, or of other lines that a daemon sends by itself."""

MAX_LOG_LINES = 10_000
"""More log lines in one second are a flood. Ten thousand clients that reconnect make fewer."""

MAX_LOG_BYTES = 4 * 1024 * 1024
"""Bytes of these lines."""

MAX_OTHER_LINES = 50_000
"""More other lines in one second are a flood: 800 clients that connect within it make fewer."""

MAX_OTHER_BYTES = 8 * 1024 * 1024
"""Bytes of these lines."""


class RateLimit:
    """Counts lines and their bytes by the second."""

    def __init__(self, max_lines: int, max_bytes: int) -> None:
        """Lines and bytes are per second."""
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._second = 0.0
        self._lines = 0
        self._bytes = 0

    def exceeded_at(self, now: float, lines: int, size: int) -> bool:
        """Count lines at `now`, in seconds; return whether there are too many in this second."""
        if now - self._second >= 1:
            self._second = now
            self._lines = self._bytes = 0
        self._lines += lines
        self._bytes += size
        return self._lines > self._max_lines or self._bytes > self._max_bytes


class LogRateLimit:
    """Detects a flood of log lines.

    From verb 8 on the daemon logs each line that it sends, 100,000 a second and more, and it reads
    no command while lines wait to be sent.
    """

    def __init__(self) -> None:
        self.exceeded = False
        self._limit = RateLimit(MAX_LOG_LINES, MAX_LOG_BYTES)
        self._popped = False

    def exceeded_at(self, now: float, size: int) -> bool:
        """Count a line at `now`, in seconds; return whether it is the one that makes a flood."""
        if not self._limit.exceeded_at(now, 1, size) or self.exceeded:
            return False
        self.exceeded = True
        return True

    def pop_exceeded(self) -> bool:
        """Return True once after a flood: the log has to be switched off."""
        if not self.exceeded or self._popped:
            return False
        self._popped = True
        return True
