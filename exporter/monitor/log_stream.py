"""Whether a session reads the daemon's log, as the configuration, `verb` and floods allow."""

from exporter.monitor.rate_limit import LogRateLimit

LOG_VERBOSITY_LIMIT = 7
"""Above it the daemon logs each line that it sends: 100,000 a second and more."""


class LogStream:
    """The log lines of one session: the history, and those that come in real time."""

    def __init__(self, *, allowed: bool) -> None:
        """Prepare for a session; `allowed` is False after a flood, whatever the target says."""
        self.allowed = allowed
        self.enabled = False
        """Whether `log on` was sent."""
        self._wanted = False
        self._rate = LogRateLimit()

    @property
    def is_live(self) -> bool:
        """Whether each log line comes in real time."""
        return self.enabled and not self._rate.exceeded

    def apply(self, *, configured: bool) -> bool:
        """Apply the configuration; return whether this changes what is to be read."""
        was_wanted = self._wanted
        self._wanted = configured and self.allowed
        return self._wanted is not was_wanted

    def is_readable(self, verbosity: int | None, *, realtime: bool) -> bool:
        """Return whether to read the log of a daemon with this `verb`, None if it is unknown."""
        if verbosity is None:  # `log on` may start a flood, `log all` has a limit
            return self._wanted and not realtime
        return self._wanted and verbosity <= LOG_VERBOSITY_LIMIT and not self._rate.exceeded

    def starts_flood(self, now: float, size: int) -> bool:
        """Count a line of `size` characters; return whether it is the one that makes a flood."""
        return self._rate.exceeded_at(now, size)

    def pop_flood(self) -> bool:
        """Return True once after a flood: the log has to be switched off."""
        return self._rate.pop_exceeded()
