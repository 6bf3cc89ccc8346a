"""What the configuration says of watching one daemon, general settings included."""

from pathlib import Path

import msgspec

from exporter.config.schema import ClientsConfig, Config, DaemonConfig, EventsConfig
from exporter.management.endpoint import Endpoint


class Target(msgspec.Struct, frozen=True):
    """One daemon, and how it is watched."""

    daemon: DaemonConfig
    clients: ClientsConfig
    events: EventsConfig
    poll_interval: float
    """Seconds between polls: the daemon's own, or the general one."""

    def is_same_target(self, other: "Target") -> bool:
        """Tell whether this can take over what `other` knows: its session and its counters.

        At another address is another daemon, and totals of common names are no totals of user
        names.
        """
        return (
            self.daemon.name == other.daemon.name
            and _address(self.daemon) == _address(other.daemon)
            and self.clients.identity == other.clients.identity
        )


def targets(config: Config) -> tuple[Target, ...]:
    """Return what is to be watched, in the order of the configuration."""
    return tuple(
        Target(daemon, config.clients, config.events, daemon.poll_interval or config.poll_interval)
        for daemon in config.daemons
    )


def _address(daemon: DaemonConfig) -> Endpoint | Path | None:
    """Return where the daemon can be asked, or what is read where it can't."""
    return daemon.management or daemon.status_file
