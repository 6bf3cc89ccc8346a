"""A configuration from flags alone: management addresses, status files, OpenVPN's own files."""

import collections
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec

from exporter.config.discovered import with_discovered
from exporter.config.errors import ConfigError, Problem
from exporter.config.schema import DAEMON_NAME, Config, DaemonConfig, DiscoverConfig
from exporter.config.status_file_flag import find_status_files
from exporter.management.endpoint import (
    Endpoint,
    ListenUnixEndpoint,
    UnixEndpoint,
    parse_endpoint,
)
from exporter.openvpn_config import Pattern, discover, running_user

MANAGEMENT = "--openvpn.management"

_REMEDY = "correct the pattern"

A = TypeVar("A")
B = TypeVar("B")


def from_flags(
    addresses: Sequence[str] = (),
    patterns: Sequence[str] = (),
    status_files: Sequence[str] = (),
) -> Config:
    """Return a configuration of the values of the flags, with defaults for all other keys.

    `addresses` are management addresses, `patterns` those of OpenVPN's configuration files.
    `status_files` are paths or patterns of status files, each perhaps after `NAME=`.

    A daemon is named after its address, or after its socket file without the suffix if that name
    is unique; after its status file without the suffix, or what the wildcards of the pattern cover.

    A daemon that discovery skips is monitored by the status file of its name.

    Raises ConfigError with every value that is malformed or duplicate, or if there is no value.
    """
    if not (addresses or patterns or status_files):
        raise ConfigError((Problem(source=MANAGEMENT, text="no address: add one"),))
    sources = tuple(DiscoverConfig(pattern=pattern) for pattern in dict.fromkeys(patterns))
    found = tuple(Pattern(source.pattern, remedy=_REMEDY) for source in sources)
    discovery = discover(found, Path(), user=running_user())
    files = find_status_files(
        status_files, {daemon.name for daemon in discovery.daemons if not daemon.blocked}
    )
    names = [*(daemon.name for daemon in discovery.daemons), *(file.name for file in files.files)]
    problems: list[Problem] = []
    daemons = [
        *_managed_daemons(addresses, names, problems),
        *(DaemonConfig(name=file.name, status_file=file.path) for file in files.files),
    ]
    if problems := [*problems, *files.problems]:
        raise ConfigError(tuple(problems))
    config = Config(daemons=tuple(daemons), discover=sources, findings=files.findings)
    discovery = msgspec.structs.replace(
        discovery, matched=discovery.matched | files.matched, status_files=files.of_patterns
    )
    return with_discovered(config, discovery)


def _managed_daemons(
    addresses: Sequence[str], other_names: Iterable[str], problems: list[Problem]
) -> Sequence[DaemonConfig]:
    endpoints = _collect(addresses, parse_endpoint, problems)
    counts = collections.Counter(endpoints)
    _collect((item for item in counts if counts[item] > 1), _duplicate, problems)
    names = collections.Counter([*map(_short_name, endpoints), *other_names])
    return _collect(
        counts,
        lambda endpoint: _managed_daemon(endpoint, names[_short_name(endpoint)]),
        problems,
    )


def _collect(items: Iterable[A], make: Callable[[A], B], problems: list[Problem]) -> list[B]:
    """Return `make` of each item; each ValueError becomes one of the problems."""
    made: list[B] = []
    for item in items:
        try:
            made.append(make(item))
        except ValueError as error:
            problems.append(Problem(source=MANAGEMENT, text=str(error)))
    return made


def _duplicate(value: object) -> None:
    raise ValueError(f"{value} is given twice: keep one")


def _managed_daemon(endpoint: Endpoint, name_count: int) -> DaemonConfig:
    name = _short_name(endpoint) if name_count == 1 else str(endpoint)
    try:
        DAEMON_NAME.check(name)
    except ValueError:
        raise ValueError(
            f"{name!r} can't be a daemon's name: name it in a configuration file"
        ) from None
    return DaemonConfig(name=name, management=endpoint)


def _short_name(endpoint: Endpoint) -> str:
    path = endpoint.path if isinstance(endpoint, UnixEndpoint | ListenUnixEndpoint) else ""
    stem = PurePosixPath(path).stem
    return stem or str(endpoint)
