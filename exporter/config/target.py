"""The targets of the configuration, one for each daemon, and what a reload changes about them."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from exporter.config.pki import PkiConfig
from exporter.config.schema import (
    ClientsConfig,
    Config,
    DaemonConfig,
    EventsConfig,
    SlotPolicy,
)
from exporter.management.endpoint import Endpoint, ListenEndpoint, ListenUnixEndpoint
from exporter.management.state import Mode
from exporter.port_probe.target import ProbeTarget


class Target(msgspec.Struct, frozen=True):
    """One daemon, with the general settings that hold for it."""

    daemon: DaemonConfig
    clients: ClientsConfig = ClientsConfig()
    events: EventsConfig = EventsConfig()
    poll_interval: float = Config().poll_interval
    """Seconds between polls: the daemon's own, or the general one."""
    pki: PkiConfig | None = None
    """The certificates issued to its clients: the daemon's own key, or the general one."""

    @property
    def name(self) -> str:
        """The value of the label `daemon`."""
        return self.daemon.name

    @property
    def address(self) -> Endpoint | Path | None:
        """The management interface, or the status file of a daemon without one."""
        return self.daemon.management or self.daemon.status_file

    @property
    def configured_mode(self) -> Mode | None:
        """The mode in the daemon's own configuration, None if that was not read."""
        return self.daemon.openvpn_config.mode if self.daemon.openvpn_config else None

    @property
    def probe_targets(self) -> tuple[ProbeTarget, ...]:
        """The ports of the daemon that are probed."""
        return self.daemon.probe_plan.targets if self.daemon.probe_plan else ()

    @property
    def is_reverse(self) -> bool:
        """Whether the daemon connects to the exporter (`--management-client`).

        Such a daemon exits when the session ends.
        """
        return isinstance(self.daemon.management, ListenEndpoint | ListenUnixEndpoint)

    @property
    def releases_slot(self) -> bool:
        """Whether the session ends after each poll, for other management clients."""
        return self.daemon.slot is SlotPolicy.RELEASE and not self.is_reverse

    def address_pool_size(self, version: str | None) -> int | None:
        """Return the number of clients that the pool of a daemon of this version can serve."""
        pool = self.daemon.openvpn_config.address_pool if self.daemon.openvpn_config else None
        if self.daemon.address_pool_size is not None or pool is None:
            return self.daemon.address_pool_size
        return pool.size(version)

    def is_same_target(self, other: "Target") -> bool:
        """Return whether the session and the counters of `other` can be kept.

        Another address is another daemon, and totals of common names are no totals of user names.
        """
        return (
            self.name == other.name
            and self.address == other.address
            and self.clients.identity == other.clients.identity
        )


def targets(config: Config) -> tuple[Target, ...]:
    """Return the targets, in the order of the configuration."""
    return tuple(
        Target(
            daemon,
            config.clients,
            config.events,
            daemon.poll_interval or config.poll_interval,
            daemon.pki or config.pki,
        )
        for daemon in config.daemons
    )


class ReloadDiff(msgspec.Struct, frozen=True):
    """What a reload changes: each name of the old and of the new targets is in one field."""

    unchanged: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Reconfigured: session and counters stay."""
    restarted: tuple[str, ...] = ()
    """Monitored anew: another session, counters from 0."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(f"{len(getattr(self, kind))} {kind}" for kind in self.__struct_fields__)


def diff(old: Iterable[Target], new: Iterable[Target]) -> ReloadDiff:
    """Compare targets; names are in the order of `new`, those removed in the order of `old`."""
    remaining = {target.name: target for target in old}
    names: dict[str, list[str]] = {kind: [] for kind in ReloadDiff.__struct_fields__}
    for target in new:
        names[_change(remaining.pop(target.name, None), target)].append(target.name)
    names["removed"] += remaining
    return ReloadDiff(**{kind: tuple(found) for kind, found in names.items()})


def _change(old: Target | None, new: Target) -> str:
    if old is None:
        return "added"
    if old == new:
        return "unchanged"
    return "changed" if new.is_same_target(old) else "restarted"
