"""Daemons and clients that a reload would drop because of an error.

A file that was deleted is a removal. A file or directory that can't be read any more, and a pattern
that no longer matches, are errors: the daemons still run.
"""

from collections.abc import Container, Iterator
from pathlib import Path

import msgspec

from exporter.config.errors import ConfigError, Problem
from exporter.config.schema import Config
from exporter.openvpn_config import Finding, Kind
from exporter.openvpn_config.errors import Location


def check_losses(old: Config, new: Config) -> None:
    """Raise ConfigError if `new` lacks a daemon of `old`, or its clients, because of an error."""
    if problems := tuple(map(_problem, _losses(old, new))):
        raise ConfigError(problems)


def check_not_empty(config: Config) -> None:
    """Raise ConfigError if errors of discovery leave no daemon to monitor."""
    if not config.daemons and config.findings:
        text = "no daemon to monitor"
        raise ConfigError((Problem(text=text), *map(_problem, config.findings)))


def _losses(old: Config, new: Config) -> Iterator[Finding]:
    monitored = {daemon.openvpn_config.file for daemon in old.daemons if daemon.openvpn_config}
    files = {daemon.name: daemon.file for daemon in new.discovery.daemons}
    missing = monitored.difference(files.values())
    missing |= old.discovery.status_files - new.discovery.status_files
    known = {*old.findings, *_file_errors(old, monitored)}
    # An entry that resolves a finding keeps the daemon, but not what its file says.
    for finding in dict.fromkeys((*_file_errors(new, monitored), *new.findings)):
        match finding.kind:
            case _ if finding in known:
                is_loss = False
            case Kind.NO_MATCH:
                is_loss = finding.location in old.discovery.matched
            case Kind.TOO_MANY_FILES:
                is_loss = bool(missing)
            case Kind.CLIENT_CONFIG_DIR:
                is_loss = files.get(finding.daemon) in monitored
            case Kind.UNREADABLE | Kind.SYNTAX_ERROR if finding.daemon in files:
                is_loss = files[finding.daemon] in monitored
            case Kind.UNREADABLE:
                is_loss = any(_is_in(file, finding.location) for file in missing)
            case _:
                is_loss = False
        if is_loss:
            yield finding


def _file_errors(config: Config, files: Container[Path]) -> Iterator[Finding]:
    """Yield the errors of reading these files, resolved or not."""
    for daemon in config.discovery.daemons:
        for finding in daemon.findings:
            if daemon.file in files and finding.kind in {Kind.UNREADABLE, Kind.SYNTAX_ERROR}:
                yield msgspec.structs.replace(finding, daemon=daemon.name)


def _is_in(file: Path, location: Location | str) -> bool:
    return isinstance(location, Location) and file.is_relative_to(location.file)


def _problem(finding: Finding) -> Problem:
    return Problem(source=str(finding.location), key=finding.daemon, text=finding.text)
