"""What a management client can set: for itself, or for all who come after it."""

from dataclasses import dataclass


@dataclass(slots=True)
class RealtimeFlags:
    """Real-time messages the attached client asked for; reset for the next one."""

    log: bool = False
    state: bool = False
    echo: bool = False


@dataclass(slots=True)
class PersistentFlags:
    """What stays as a management client set it, for all who come after.

    `mute` is kept but hides nothing: a simulated daemon never says the same thing too often.
    """

    hold: bool
    mute: int = 0
    auth_retry: str = "none"
    env_filter: int = 0
