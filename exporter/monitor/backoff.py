"""How long to wait before coming back to a daemon that can't be asked."""

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
"""Seconds; each try takes the slot, and the daemon logs every third as rejected."""

PROMPT_MAX = 10 * 60.0
"""Seconds; a daemon that waits for a person may do so for days."""

CLIENT_AUTH_DELAY = 60 * 60.0
"""Seconds; each visit keeps a VPN client from logging in, or takes its authenticator's slot."""


class Backoff:
    """The delays after failures in a row.

    After a failure somewhere between 0 and a bound that doubles up to a cap (full jitter); after
    stepping aside the time that is due to others, which doubles as well.
    """

    def __init__(self, chance: random.Random, *, prompt_retry_interval: float) -> None:
        """Draw from `chance`; the first time aside takes `prompt_retry_interval` seconds."""
        self._chance = chance
        self.prompt_retry_interval = prompt_retry_interval
        self._failures = 0

    def reset(self) -> None:
        """Note that the daemon answered."""
        self._failures = 0

    def delay(self, error: ManagementError) -> float:
        """Return the seconds to wait after one more failure."""
        doubled = 2.0 ** min(self._failures, 16)
        self._failures += 1
        match error:
            case AuthenticationFailed():
                return WRONG_PASSWORD_DELAY
            case ClientAuthPromptError():
                return CLIENT_AUTH_DELAY
            case PromptError():
                return min(
                    max(PROMPT_MAX, self.prompt_retry_interval),
                    self.prompt_retry_interval * doubled,
                )
            case _:
                return self._chance.uniform(0, min(MAX, BASE * doubled))
