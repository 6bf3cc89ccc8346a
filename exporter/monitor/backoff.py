"""The delay before the next session with a daemon."""

import random

from exporter.management.errors import (
    AuthenticationFailed,
    ClientAuthPromptError,
    ManagementError,
    PromptError,
)

BASE = 1.0
MAX = 60.0
"""Seconds; a daemon that starts again is seen within a minute."""

WRONG_PASSWORD_DELAY = 15 * 60.0
"""Seconds; each attempt takes the slot, and the daemon logs every third as rejected."""

PROMPT_MAX = 10 * 60.0
"""Seconds; a daemon may wait for its operator for days."""

STABLE_TIME = 60.0
"""Seconds after which a session counts as stable; a shorter one counts as a failure."""

CLIENT_AUTH_DELAY = 60 * 60.0
"""Seconds; each session blocks a login of a VPN client, or takes its authenticator's slot."""


class Backoff:
    """The delays after consecutive errors.

    After a failure a random delay below a bound that doubles up to a cap (full jitter); after a
    prompt `prompt_retry_interval`, which doubles as well. A successful poll starts anew, unless the
    sessions before it were short: a daemon that answers a poll and closes is a failing one.
    """

    def __init__(self, rng: random.Random, *, prompt_retry_interval: float) -> None:
        """`prompt_retry_interval` is in seconds."""
        self._rng = rng
        self.prompt_retry_interval = prompt_retry_interval
        self._failures = 0
        self._short_sessions = 0
        self._polled = False

    def reset(self) -> None:
        """Record a successful poll."""
        if not self._polled:
            self._polled = True
            self._failures = self._short_sessions
            self._short_sessions += 1

    def end_session(self, seconds: float) -> None:
        """Record that a session ended after so many seconds."""
        if self._polled and seconds >= STABLE_TIME:
            self._failures = self._short_sessions = 0
        self._polled = False

    def delay(self, error: ManagementError) -> float:
        """Return the seconds to wait after one more error."""
        factor = 2.0 ** min(self._failures, 16)
        self._failures += 1
        first = self.prompt_retry_interval
        match error:
            case AuthenticationFailed():
                return WRONG_PASSWORD_DELAY
            case ClientAuthPromptError():
                return CLIENT_AUTH_DELAY
            case PromptError():
                return min(max(PROMPT_MAX, first), first * factor)
            case _:
                return self._rng.uniform(0, min(MAX, BASE * factor))
