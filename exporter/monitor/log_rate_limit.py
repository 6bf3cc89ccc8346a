"""When the daemon's log is more than anybody can mean to read.

From verb 8 on each line that is sent makes the daemon write more lines, 100,000 a second and more,
and it reads no command while lines wait to be sent.
"""

MAX_LINES_PER_SECOND = 10_000
"""Log lines in one second that are a flood; ten thousand clients coming back make fewer."""


class LogRateLimit:
    """Tells when log lines come faster than they can be meant for anybody."""

    def __init__(self) -> None:
        """Begin with a dry second."""
        self._since = 0.0
        self._lines = 0
        self.tripped = False
        self._stopped = False

    def rises(self, now: float) -> bool:
        """Count a line at `now`, in seconds; tell whether the log just became a flood."""
        if now - self._since >= 1:
            self._since = now
            self._lines = 0
        self._lines += 1
        if self._lines <= MAX_LINES_PER_SECOND or self.tripped:
            return False
        self.tripped = True
        return True

    def stop(self) -> bool:
        """Tell once that the log has to be turned off."""
        if not self.tripped or self._stopped:
            return False
        self._stopped = True
        return True
