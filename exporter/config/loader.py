"""A configuration from a file, and from the files of OpenVPN that it names."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import yaml

from exporter.config.decoder import Decoder, InvalidNode
from exporter.config.discovered import discovered_values, findings, with_discovered
from exporter.config.errors import ConfigError, Problem
from exporter.config.schema import Config, DaemonConfig, PrivacyMode, SlotPolicy, key_specs
from exporter.config.yaml_nodes import load_node
from exporter.openvpn_config import Discovered, Discovery, Finding, Kind, discover
from exporter.openvpn_config.checks import check
from exporter.openvpn_config.user import running_user


def load(path: Path) -> Config:
    """Return what the file at `path` says; paths in it are relative to its directory.

    What its `discover` names is found and read anew with each call.

    Raises ConfigError with every problem, in the order of the file.
    """
    root = load_node(path)
    discovery = _discover(root, path)
    sources = _Sources(discovery)
    reader = Decoder(source=str(path), directory=path.parent, discovered=sources.values)
    try:
        config = reader.section(root, "", Config)
    except InvalidNode:
        raise _sorted(reader.problems) from None
    if problems := [
        *_nothing_to_watch(config, path),
        *map(reader.locate, _keyless(config)),
        *map(reader.locate, _dangerous(config)),
    ]:
        raise _sorted(problems)
    remarks = tuple(sources.findings(config, reader.lines))
    return with_discovered(msgspec.structs.replace(config, findings=remarks), discovery)


class _Sources:
    """What was discovered, for the entries that are written about it."""

    def __init__(self, discovery: Discovery) -> None:
        self._found: Mapping[str, Discovered] = {found.name: found for found in discovery.found}

    def values(self, kind: type[msgspec.Struct], name: str) -> Mapping[str, object]:
        if kind is not DaemonConfig or name not in self._found:
            return {}
        return discovered_values(self._found[name])

    def findings(self, config: Config, lines: Mapping[str, int]) -> Iterator[Finding]:
        for index, daemon in enumerate(config.daemons):
            if found := self._found.get(daemon.name):
                names = (key.name for key in key_specs(DaemonConfig))
                written = {name for name in names if f"daemons[{index}].{name}" in lines}
                yield from findings(found, written)


def _discover(root: yaml.Node, path: Path) -> Discovery:
    patterns = _glance(root, path, "discover")
    if not isinstance(patterns, tuple):
        return Discovery()
    clients = _glance(root, path, "expected_from_ccd") is True
    return discover(patterns, path.parent, user=running_user(), clients=clients)


def _glance(root: yaml.Node, path: Path, key: str) -> object:
    """Return one key of the top level before all is read, which then reports its problems."""
    reader = Decoder(source=str(path), directory=path.parent)
    with contextlib.suppress(InvalidNode, ConfigError):
        return reader.only(root, Config, key)
    return None


def _nothing_to_watch(config: Config, path: Path) -> Iterator[Problem]:
    if not config.daemons and not config.discover:
        text = "names no daemon: add one, or name OpenVPN's own files under discover"
        yield Problem(source=str(path), line=1, key="daemons", text=text)


def _keyless(config: Config) -> Iterator[Problem]:
    """Refuse pseudonyms without a key: anybody could make those."""
    if config.clients.privacy_key_file is not None:
        return
    modes = {"clients.privacy": config.clients.privacy} | {
        f"daemons[{index}].privacy": daemon.privacy for index, daemon in enumerate(config.daemons)
    }
    for key, mode in modes.items():
        if mode is PrivacyMode.PSEUDONYM:
            text = "pseudonym needs a key: name a file with one as clients.privacy_key_file"
            yield Problem(key=key, text=text)


def _dangerous(config: Config) -> Iterator[Problem]:
    """Refuse to leave, after every poll, a daemon that leaving hurts."""
    for index, daemon in enumerate(config.daemons):
        if daemon.slot is SlotPolicy.RELEASE and daemon.deployment:
            key = f"daemons[{index}].slot"
            for finding in check(daemon.deployment, name=daemon.name):
                if finding.kind is Kind.HARMFUL_DISCONNECT:
                    text = f"release leaves after each poll. {finding}"
                    yield Problem(key=key, text=text)


def _sorted(problems: list[Problem]) -> ConfigError:
    return ConfigError(tuple(sorted(problems, key=lambda problem: problem.line or 0)))
