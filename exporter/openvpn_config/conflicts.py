"""Daemons that claim the same name, management address or status file."""

import collections
import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from exporter.management.endpoint import TcpEndpoint, UnixEndpoint
from exporter.openvpn_config.checks import (
    Finding,
    Kind,
    is_wildcard,
    management_endpoint,
)
from exporter.openvpn_config.errors import Location, printable
from exporter.openvpn_config.model import OpenVpnConfig


class DiscoveredDaemon(msgspec.Struct, frozen=True):
    """One configuration file of OpenVPN, named; `config` is None if the file can't be used.

    `ccd_clients` are those of its `client-config-dir`, if requested.
    """

    name: str
    file: Path
    config: OpenVpnConfig | None
    findings: tuple[Finding, ...]
    ccd_clients: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether it can't be monitored without a key that the operator sets."""
        return any(finding.blocks for finding in self.findings)

    @property
    def has_unique_name(self) -> bool:
        """Whether no other file has its name."""
        return all(finding.kind is not Kind.DUPLICATE_NAME for finding in self.findings)


def with_conflicts(daemons: Iterable[DiscoveredDaemon]) -> tuple[DiscoveredDaemon, ...]:
    """Add a finding to each daemon that shares what only one daemon can have.

    None of them is monitored under a shared name or address: of a shared Unix socket the daemon
    that was started last is the owner. A shared status file is not read: its writer is unknown.
    """
    daemons = tuple(daemons)
    sharing = _sharing(daemons, lambda daemon: daemon.name)
    daemons = tuple(_with_finding(daemon, _name_finding, sharing) for daemon in daemons)
    sharing = _sharing(daemons, _address_key(daemons))
    daemons = tuple(_with_finding(daemon, _address_finding, sharing) for daemon in daemons)
    sharing = _sharing(daemons, _status_file)
    return tuple(_without_shared_status_file(daemon, sharing) for daemon in daemons)


_SharingFiles = Mapping[Path, Sequence[Path]]
"""For each file that shares its key, all files with that key."""


def _sharing(
    daemons: Sequence[DiscoveredDaemon], key: Callable[[DiscoveredDaemon], Hashable | None]
) -> _SharingFiles:
    groups: dict[Hashable, list[Path]] = collections.defaultdict(list)
    for daemon in daemons:
        if (value := key(daemon)) is not None:
            groups[value].append(daemon.file)
    return {file: group for group in groups.values() if len(group) > 1 for file in group}


def _with_finding(
    daemon: DiscoveredDaemon,
    make: Callable[[DiscoveredDaemon, Path], Finding],
    sharing: _SharingFiles,
) -> DiscoveredDaemon:
    other = _other(daemon, sharing)
    if other is None:
        return daemon
    return msgspec.structs.replace(daemon, findings=(*daemon.findings, make(daemon, other)))


def _other(daemon: DiscoveredDaemon, sharing: _SharingFiles) -> Path | None:
    return next((file for file in sharing.get(daemon.file, ()) if file != daemon.file), None)


def _name_finding(daemon: DiscoveredDaemon, other: Path) -> Finding:
    return Finding(
        kind=Kind.DUPLICATE_NAME,
        location=Location(daemon.file),
        text=f"{printable(other)} has the same name {daemon.name!r}: change the patterns so that "
        "their wildcards cover different names",
        blocks=True,
    )


def _address_finding(daemon: DiscoveredDaemon, other: Path) -> Finding:
    management = daemon.config.management if daemon.config else None
    return Finding(
        kind=Kind.DUPLICATE_ADDRESS,
        location=management.location if management else Location(daemon.file),
        text=f"{printable(other)} has the same management address, and only one daemon can listen "
        "there, so neither is monitored: use one address for each daemon",
        blocks=True,
        resolved_by="management",
    )


def _address_key(
    daemons: Sequence[DiscoveredDaemon],
) -> Callable[[DiscoveredDaemon], Hashable | None]:
    """Return the key of an address; on all addresses of the host the key is the port."""
    wildcard_ports = {
        _port(daemon.config)
        for daemon in daemons
        if daemon.config and daemon.config.management and is_wildcard(daemon.config.management)
    }

    def key(daemon: DiscoveredDaemon) -> Hashable | None:
        return _address(daemon.config, wildcard_ports) if daemon.config else None

    return key


def _address(config: OpenVpnConfig, wildcard_ports: Iterable[int | None]) -> Hashable | None:
    endpoint = _endpoint(config)
    match endpoint:
        case UnixEndpoint(path):
            return os.path.realpath(path)
        case TcpEndpoint(host, port):
            return (
                port
                if port in wildcard_ports
                else ("127.0.0.1" if host == "localhost" else host, port)
            )
        case _:
            return None


def _port(config: OpenVpnConfig) -> int | None:
    endpoint = _endpoint(config)
    return endpoint.port if isinstance(endpoint, TcpEndpoint) else None


def _endpoint(config: OpenVpnConfig) -> object:
    """Return where the daemon listens; None if it does not, or the address is unknown."""
    management = config.management
    if management is None or "client" in management.modifiers:
        return None
    try:
        return management_endpoint(management, config.directory)
    except ValueError:  # a finding of its own
        return None


def _status_file(daemon: DiscoveredDaemon) -> str | None:
    file = daemon.config.status_file if daemon.config else None
    return os.path.realpath(file) if file else None


def _without_shared_status_file(
    daemon: DiscoveredDaemon, sharing: _SharingFiles
) -> DiscoveredDaemon:
    config = daemon.config
    if config is None or config.status_file is None or _other(daemon, sharing) is None:
        return daemon
    finding = Finding(
        kind=Kind.SHARED_STATUS_FILE,
        location=Location(daemon.file),
        text=f"another daemon also writes to {printable(config.status_file)}, so it is not read: "
        "use one status file for each daemon",
        resolved_by="status_file",
    )
    return msgspec.structs.replace(
        daemon,
        config=msgspec.structs.replace(config, status_file=None),
        findings=(*daemon.findings, finding),
    )
