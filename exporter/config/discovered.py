"""What was discovered and what the operator wrote, as one: each key that is written wins."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from exporter.config.decoder import Unresolved
from exporter.config.password import read_password
from exporter.config.schema import Config, DaemonConfig, key_specs
from exporter.config.types import can_read_certificates
from exporter.openvpn_config import Discovered, Discovery, Finding, Kind
from exporter.openvpn_config.checks import endpoint
from exporter.openvpn_config.errors import Location
from exporter.openvpn_config.model import ManagementInterface, OpenVpnConfig


def discovered_values(discovered: Discovered) -> Mapping[str, Any]:
    """Return what a discovered configuration says for the keys of a daemon.

    A key whose value can't be known, or must be chosen by the operator, is withheld.
    """
    withheld = {
        finding.settled_by: Unresolved(str(finding))
        for finding in discovered.findings
        if finding.blocks
    }
    values: dict[str, Any] = {"expected_clients": discovered.expected_clients}
    if discovered.deployment is not None:
        values |= _values(discovered.deployment)
    return values | withheld


def _values(deployment: OpenVpnConfig) -> dict[str, Any]:
    values: dict[str, Any] = {"deployment": deployment}
    if deployment.management is not None:
        values |= _management(deployment.management, deployment)
    if deployment.status_file is not None:
        values["status_file"] = deployment.status_file
    if deployment.max_clients:
        values["max_clients"] = deployment.max_clients
    values |= _certificates(deployment)
    return values


def _certificates(deployment: OpenVpnConfig) -> dict[str, Any]:
    """Return the files; what stands in the configuration itself is found there."""
    if not can_read_certificates():
        return {}
    revocations = None if deployment.revocations_in_directory else deployment.revocations
    files = {"cert": deployment.certificate, "ca": deployment.authority, "crl_verify": revocations}
    return {key: file for key, file in files.items() if isinstance(file, Path)}


def _management(management: ManagementInterface, deployment: OpenVpnConfig) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with contextlib.suppress(ValueError):  # one of the findings, which withholds the key
        values["management"] = endpoint(management, deployment.directory)
    if management.password_file is not None and not management.asks_for_password:
        values["password_file"] = management.password_file
    return values


def findings(discovered: Discovered, written: Collection[str] = ()) -> tuple[Finding, ...]:
    """Return what is to be said of one, given the keys that are `written` for it."""
    return tuple(
        msgspec.structs.replace(finding, daemon=discovered.name)
        for finding in (*discovered.findings, *_unusable_password(discovered.deployment))
        if not _settled(finding, written)
    )


def _settled(finding: Finding, written: Collection[str]) -> bool:
    """Tell whether a written key settles it, or one that may be written in that key's place."""
    instead = {
        key.name: key.setting.unless for key in key_specs(DaemonConfig) if key.setting.unless
    }
    return not {finding.settled_by, instead.get(finding.settled_by)}.isdisjoint(written)


def _unusable_password(deployment: OpenVpnConfig | None) -> Iterator[Finding]:
    """Say what is wrong with a password file now; it is read anew for each session."""
    management = deployment.management if deployment else None
    if management is None or management.password_file is None or management.asks_for_password:
        return
    try:
        read_password(management.password_file)
    except ValueError as error:
        yield Finding(
            kind=Kind.MANAGEMENT_PASSWORD,
            place=management.place,
            text=f"{error}; or name another as `password_file`",
            settled_by="password_file",
        )


def with_discovered(config: Config, discovery: Discovery) -> Config:
    """Add each discovered daemon that the operator wrote nothing about, unless something blocks it.

    An address that is watched already isn't watched a second time: only one daemon listens there.
    """
    written = {daemon.name for daemon in config.daemons}
    daemons = list(config.daemons)
    remarks = [*config.findings, *discovery.findings]
    watched = {daemon.management: daemon.name for daemon in daemons}
    for discovered in discovery.found:
        if discovered.name in written:
            continue
        remarks.extend(findings(discovered))
        if discovered.blocked:
            continue
        daemon = DaemonConfig(name=discovered.name, **discovered_values(discovered))
        first = watched.setdefault(daemon.management, daemon.name)
        if first == daemon.name:
            daemons.append(daemon)
        else:
            remarks.append(_same_address(discovered, daemon, first))
    return msgspec.structs.replace(config, daemons=tuple(daemons), findings=tuple(remarks))


def _same_address(discovered: Discovered, daemon: DaemonConfig, first: str) -> Finding:
    return Finding(
        kind=Kind.DUPLICATE_ADDRESS,
        place=Location(discovered.file),
        daemon=discovered.name,
        text=f"{daemon.management} is watched as {first!r}, and only one daemon can listen there",
        blocks=True,
    )
