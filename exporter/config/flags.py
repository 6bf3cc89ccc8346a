"""A configuration from the command line alone: addresses, and patterns of OpenVPN's own files."""

import collections
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from exporter.config.discovered import with_discovered
from exporter.config.errors import ConfigError, Problem
from exporter.config.schema import DAEMON_NAME, Config, DaemonConfig
from exporter.management.endpoint import Endpoint, UnixEndpoint, parse_endpoint
from exporter.openvpn_config import discover
from exporter.openvpn_config.user import running_user

FLAG = "--openvpn.management"

A = TypeVar("A")
B = TypeVar("B")


def from_flags(addresses: Sequence[str], patterns: Sequence[str] = ()) -> Config:
    """Return a configuration of `addresses` and of what `patterns` find, with defaults elsewhere.

    A daemon is named after its address, or after its socket file without the suffix where no
    other, discovered or not, has that name.

    Raises ConfigError with every address that is malformed or given twice, or when there is neither
    an address nor a pattern.
    """
    if not addresses and not patterns:
        raise ConfigError((Problem(source=FLAG, text="no address is given: add one"),))
    discovery = discover(patterns, Path(), user=running_user())
    daemons = _daemons(addresses, [discovered.name for discovered in discovery.found])
    return with_discovered(Config(daemons=daemons, discover=tuple(patterns)), discovery)


def _daemons(addresses: Sequence[str], taken: Iterable[str]) -> tuple[DaemonConfig, ...]:
    endpoints = _each(addresses, parse_endpoint)
    twice = [endpoint for endpoint, count in collections.Counter(endpoints).items() if count > 1]
    _each(twice, _refuse_second)
    shared = collections.Counter([*map(_short_name, endpoints), *taken])
    return _each(endpoints, lambda endpoint: _daemon(endpoint, shared[_short_name(endpoint)]))


def _each(items: Iterable[A], make: Callable[[A], B]) -> tuple[B, ...]:
    """Return what `make` makes of each item; raises ConfigError with every ValueError."""
    made: list[B] = []
    problems: list[Problem] = []
    for item in items:
        try:
            made.append(make(item))
        except ValueError as error:
            problems.append(Problem(source=FLAG, text=str(error)))
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(made)


def _refuse_second(endpoint: Endpoint) -> None:
    raise ValueError(f"{endpoint} is given twice: keep one")


def _daemon(endpoint: Endpoint, sharers: int) -> DaemonConfig:
    name = _short_name(endpoint) if sharers == 1 else str(endpoint)
    try:
        DAEMON_NAME.check(name)
    except ValueError:
        raise ValueError(
            f"{name!r} cannot be a daemon's name: name it in a configuration file"
        ) from None
    return DaemonConfig(name=name, management=endpoint)


def _short_name(endpoint: Endpoint) -> str:
    stem = PurePosixPath(endpoint.path).stem if isinstance(endpoint, UnixEndpoint) else ""
    return stem or str(endpoint)
