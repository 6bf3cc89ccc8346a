"""Patterns of file names as named daemons."""

import os
import pwd
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from exporter.openvpn_config import command_line, model
from exporter.openvpn_config.ccd import expected_clients
from exporter.openvpn_config.checks import Finding, Kind, check
from exporter.openvpn_config.conflicts import DiscoveredDaemon, with_conflicts
from exporter.openvpn_config.errors import OpenVpnConfigError, UnreadableFile, printable
from exporter.openvpn_config.model import OpenVpnConfig
from exporter.openvpn_config.patterns import Match, Pattern
from exporter.openvpn_config.search import search
from exporter.openvpn_config.units import UnitReader


class Discovery(msgspec.Struct, frozen=True):
    """All discovered daemons, in order, and the findings that belong to no single daemon.

    `matched` are the patterns that match a file; `status_files` are the files that patterns of
    status files match.
    """

    daemons: tuple[DiscoveredDaemon, ...] = ()
    findings: tuple[Finding, ...] = ()
    matched: frozenset[str] = frozenset()
    status_files: frozenset[Path] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether every pattern was searched, and matches where it must."""
        kinds = {finding.kind for finding in self.findings}
        return kinds.isdisjoint({Kind.NO_MATCH, Kind.UNREADABLE, Kind.TOO_MANY_FILES})


class _Reading(msgspec.Struct, frozen=True):
    """A file that was read, or the reason why it can't be used, with the findings on the way."""

    match: Match
    result: OpenVpnConfig | OpenVpnConfigError
    findings: tuple[Finding, ...]


def discover(
    sources: Sequence[Pattern], directory: Path, *, user: str | None = None, clients: bool = False
) -> Discovery:
    """Read every file that matches a pattern; relative patterns start at `directory`.

    A file that another file includes is not a daemon. `user` is the exporter's user; `clients`
    requests the clients of each `client-config-dir`.
    """
    matches, findings = search(sources, directory)
    units = UnitReader()
    readings = [reading for match in matches if (reading := _read(match, units)) is not None]
    included = {
        os.path.realpath(part)
        for reading in readings
        if isinstance(reading.result, OpenVpnConfig)
        for part in reading.result.files[1:]
    }
    daemons = with_conflicts(
        _daemon(reading, user)
        for reading in readings
        if os.path.realpath(reading.match.file) not in included
    )
    return Discovery(
        tuple(map(_with_clients, daemons) if clients else daemons),
        tuple(findings),
        frozenset(printable(match.pattern.text) for match in matches),
    )


def running_user() -> str:
    """Return the name of the effective user, or its number if it has no name."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _read(match: Match, units: UnitReader) -> _Reading | None:
    """Read one file; None if it was deleted since it was found."""
    findings: list[Finding] = []
    groups = command_line.parse(match.pattern.options or "")
    if not command_line.has_config(groups):
        unit = units.options(match.file, match.instance)
        groups = (*unit.options, *groups)
        if unit.error is not None:
            findings.append(_unreadable_unit(unit.error))
    options = command_line.directives(groups, match.instance, match.file)
    try:
        result: OpenVpnConfig | OpenVpnConfigError = model.read(match.file, options)
    except OpenVpnConfigError as error:
        if not os.path.lexists(match.file):
            return None
        result = error
    return _Reading(match, result, tuple(findings))


def _unreadable_unit(error: UnreadableFile) -> Finding:
    text = f"{error.text}, so options that it adds on the command line are unknown"
    return Finding(kind=Kind.UNREADABLE, location=error.location, text=text)


def _daemon(reading: _Reading, user: str | None) -> DiscoveredDaemon:
    match, result = reading.match, reading.result
    if isinstance(result, OpenVpnConfig):
        found = check(result, name=match.name, user=user)
        return DiscoveredDaemon(match.name, match.file, result, (*reading.findings, *found))
    return DiscoveredDaemon(match.name, match.file, None, tuple(_unusable(result)))


def _unusable(error: OpenVpnConfigError) -> Iterator[Finding]:
    yield Finding(
        kind=Kind.UNREADABLE if isinstance(error, UnreadableFile) else Kind.SYNTAX_ERROR,
        location=error.location,
        text=error.text,
        blocks=True,
        resolved_by="management",
    )


def _with_clients(daemon: DiscoveredDaemon) -> DiscoveredDaemon:
    if daemon.config is None or daemon.config.client_config_dir is None:
        return daemon
    try:
        clients = expected_clients(daemon.config.client_config_dir)
    except UnreadableFile as error:
        finding = Finding(
            kind=Kind.CLIENT_CONFIG_DIR,
            location=error.location,
            text=f"{error.text}, so no client is expected: let this user read it, or set "
            "`expected_clients`",
            resolved_by="expected_clients",
        )
        return msgspec.structs.replace(daemon, findings=(*daemon.findings, finding))
    return msgspec.structs.replace(daemon, ccd_clients=clients)
