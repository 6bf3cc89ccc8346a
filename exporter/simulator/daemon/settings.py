"""What the configuration file of any daemon says."""

from dataclasses import dataclass

from exporter.simulator.daemon.release import RELEASE, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration file of a simulated daemon.

    With `management_signal` it restarts whenever a management client leaves.
    """

    pid: int = 4242
    release: Release = RELEASE
    verb: int = 3
    hold: bool = False
    log_cache: int = 250
    status_version: int = 1
    management_signal: bool = False
