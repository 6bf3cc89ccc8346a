"""Discovered values merged with the file's: a key in the file overrides the discovered value."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from exporter.config.keys import Unresolved, key_specs
from exporter.config.schema import Config, DaemonConfig
from exporter.config.secret_files import read_password
from exporter.config.types import can_read_certificates
from exporter.openvpn_config import DiscoveredDaemon, Discovery, Finding, Kind
from exporter.openvpn_config.checks import management_endpoint
from exporter.openvpn_config.errors import Location
from exporter.openvpn_config.model import ManagementInterface, OpenVpnConfig


def discovered_values(daemon: DiscoveredDaemon, *, expected_from_ccd: bool) -> Mapping[str, Any]:
    """Return the values of a discovered configuration for the keys of a daemon.

    With `expected_from_ccd` it expects the clients of its `client-config-dir`. A key whose value
    is unknown, or must be chosen by the operator, is `Unresolved`.
    """
    unresolved = {
        finding.resolved_by: Unresolved(str(finding), is_error=finding.kind is not Kind.UNREADABLE)
        for finding in daemon.findings
        if finding.blocks
    }
    values: dict[str, Any] = {}
    if expected_from_ccd:
        values["expected_clients"] = daemon.ccd_clients
    if daemon.config is not None:
        values |= _values(daemon.config)
    return values | unresolved


def _values(config: OpenVpnConfig) -> dict[str, Any]:
    values: dict[str, Any] = {"openvpn_config": config}
    if config.management is not None:
        values |= _management(config.management, config)
    if config.status_file is not None:
        values["status_file"] = config.status_file
    if config.max_clients:
        values["max_clients"] = config.max_clients
    values |= _certificates(config)
    return values


def _certificates(config: OpenVpnConfig) -> dict[str, Any]:
    """Return the files; inline blocks are read from `openvpn_config`."""
    if not can_read_certificates():
        return {}
    crl = None if config.crl_is_directory else config.crl
    files = {"cert": config.cert, "ca": config.ca, "crl_verify": crl}
    return {key: file for key, file in files.items() if isinstance(file, Path)}


def _management(management: ManagementInterface, config: OpenVpnConfig) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with contextlib.suppress(ValueError):  # a finding, which makes the key unresolved
        values["management"] = management_endpoint(management, config.directory)
    if management.password_file is not None and not management.asks_for_password:
        values["password_file"] = management.password_file
    return values


def findings(daemon: DiscoveredDaemon, explicit_keys: Collection[str] = ()) -> tuple[Finding, ...]:
    """Return the findings of a daemon that none of its keys in the file resolves."""
    return tuple(
        msgspec.structs.replace(finding, daemon=daemon.name)
        for finding in (*daemon.findings, *_unusable_password(daemon.config))
        if not _is_resolved(finding, explicit_keys)
    )


def _is_resolved(finding: Finding, explicit_keys: Collection[str]) -> bool:
    """Return whether the file has the key that resolves it, or that key's alternative."""
    alternatives = {key.name: key.spec.alternative for key in key_specs(DaemonConfig)}
    keys = {finding.resolved_by, alternatives.get(finding.resolved_by)} - {""}
    return not keys.isdisjoint(explicit_keys)


def _unusable_password(config: OpenVpnConfig | None) -> Iterator[Finding]:
    """Yield the problem that the password file has now; each session reads the file again."""
    management = config.management if config else None
    if management is None or management.password_file is None or management.asks_for_password:
        return
    try:
        read_password(management.password_file)
    except ValueError as error:
        yield Finding(
            kind=Kind.MANAGEMENT_PASSWORD,
            location=management.location,
            text=f"{error}; or set another `password_file`",
            resolved_by="password_file",
        )


def with_discovered(config: Config, discovery: Discovery) -> Config:
    """Add each discovered daemon that has no entry in the file, unless a finding blocks it.

    A daemon with the address of another one is not added: only one daemon can listen there.
    """
    explicit = {daemon.name for daemon in config.daemons}
    daemons = list(config.daemons)
    all_findings = [*config.findings, *discovery.findings]
    names_by_address = {daemon.management: daemon.name for daemon in daemons}
    for discovered in discovery.daemons:
        if discovered.name in explicit and discovered.has_unique_name:
            continue
        all_findings.extend(findings(discovered))
        if discovered.blocked:
            continue
        values = discovered_values(discovered, expected_from_ccd=config.expected_from_ccd)
        daemon = DaemonConfig(name=discovered.name, **values)
        first = names_by_address.setdefault(daemon.management, daemon.name)
        if first == daemon.name:
            daemons.append(daemon)
        else:
            all_findings.append(_duplicate_address(discovered, daemon, first))
    return msgspec.structs.replace(
        config,
        daemons=tuple(filter(_has_source, daemons)),
        findings=tuple(all_findings),
        discovery=discovery,
    )


def _has_source(daemon: DaemonConfig) -> bool:
    """Return whether the daemon can be monitored; an entry may name an unreadable file."""
    return daemon.management is not None or daemon.status_file is not None


def _duplicate_address(discovered: DiscoveredDaemon, daemon: DaemonConfig, first: str) -> Finding:
    return Finding(
        kind=Kind.DUPLICATE_ADDRESS,
        location=Location(discovered.file),
        daemon=discovered.name,
        text=f"{daemon.management} is already monitored as {first!r}; only one daemon can listen "
        "there",
        blocks=True,
    )
