"""A configuration from a file, and from the files of OpenVPN that it names."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import yaml

from exporter.config.decoder import Decoder, InvalidNode
from exporter.config.discovered import discovered_values, findings, with_discovered
from exporter.config.errors import ConfigError, Problem
from exporter.config.expected_clients import (
    is_pattern,
    names_like_patterns,
    pattern_findings,
)
from exporter.config.keys import Unresolved, key_specs
from exporter.config.pki import PkiConfig, check_pki
from exporter.config.probe_checks import with_probe_plans
from exporter.config.schema import (
    Config,
    DaemonConfig,
    DiscoverConfig,
    PrivacyMode,
    SlotPolicy,
)
from exporter.config.share_checks import check_shares
from exporter.config.yaml_nodes import load_node
from exporter.management.endpoint import ListenEndpoint
from exporter.openvpn_config import (
    DiscoveredDaemon,
    Discovery,
    Finding,
    Kind,
    Pattern,
    discover,
    running_user,
)
from exporter.openvpn_config.checks import check

_UNKNOWN = "discovery is not complete, so its configuration is unknown"


def load(path: Path, *, pipe_timeout: float | None = None) -> Config:
    """Return the configuration in the file at `path`; its paths are relative to its directory.

    Each call reads the file and OpenVPN's files that `discover` names. A pipe at `path` has
    `pipe_timeout` seconds to end.

    Raises ConfigError with every problem, in the order of the file.
    """
    root = load_node(path, pipe_timeout=pipe_timeout)
    expected_from_ccd = _peek(root, path, "expected_from_ccd") is True
    discovery = _discover(root, path, clients=expected_from_ccd or _has_patterns(root, path))
    discovered = _Discovered(discovery, expected_from_ccd=expected_from_ccd)
    decoder = Decoder(
        source=str(path),
        directory=path.parent,
        discovered=discovered.values,
        hide_clients=any(mode != PrivacyMode.PLAIN for mode in _privacy_modes(root)),
    )
    try:
        config = decoder.decode_section(root, "", Config)
    except InvalidNode:
        raise ConfigError.by_line(decoder.problems) from None
    if problems := [
        *_check_not_empty(config, path),
        *map(decoder.locate, _check_privacy_key(config)),
        *map(decoder.locate, _check_slot_release(config)),
        *map(decoder.locate, _check_listening(config)),
        *map(decoder.locate, check_shares(config)),
        *map(decoder.locate, check_pki(_pki_sections(config))),
    ]:
        raise ConfigError.by_line(problems)
    entry_findings = (
        *discovered.findings(config, decoder.lines),
        *pattern_findings(config.expected_clients, discovery, has_pki=_has_pki(config)),
        *names_like_patterns(
            ((daemon.name, daemon.expected_clients) for daemon in config.daemons), discovery
        ),
    )
    config = with_discovered(msgspec.structs.replace(config, findings=entry_findings), discovery)
    config, probe_problems = with_probe_plans(config)
    if probe_problems:
        raise ConfigError.by_line(map(decoder.locate, probe_problems))
    return config


class _Discovered:
    """The discovered daemons, for the entries of the file with their names."""

    def __init__(self, discovery: Discovery, *, expected_from_ccd: bool) -> None:
        self._daemons: Mapping[str, DiscoveredDaemon] = {
            daemon.name: daemon for daemon in discovery.daemons if daemon.has_unique_name
        }
        self._is_complete = discovery.is_complete
        self._expected_from_ccd = expected_from_ccd

    def values(self, kind: type[msgspec.Struct], name: str) -> Mapping[str, object]:
        if kind is not DaemonConfig:
            return {}
        if name in self._daemons:
            return discovered_values(self._daemons[name], expected_from_ccd=self._expected_from_ccd)
        return {} if self._is_complete else {"management": Unresolved(_UNKNOWN, is_error=False)}

    def findings(self, config: Config, lines: Mapping[str, int]) -> Iterator[Finding]:
        for index, daemon in enumerate(config.daemons):
            if discovered := self._daemons.get(daemon.name):
                names = (key.name for key in key_specs(DaemonConfig))
                explicit_keys = {name for name in names if f"daemons[{index}].{name}" in lines}
                yield from findings(discovered, explicit_keys)
            elif daemon.management is None and daemon.status_file is None:
                yield Finding(
                    kind=Kind.UNREADABLE,
                    location=f"daemons[{index}]",
                    text=_UNKNOWN,
                    blocks=True,
                    daemon=daemon.name,
                )


def _discover(root: yaml.Node, path: Path, *, clients: bool) -> Discovery:
    sources = _peek(root, path, "discover")
    if not isinstance(sources, tuple):
        return Discovery()
    found = tuple(map(_pattern, sources))
    return discover(found, path.parent, user=running_user(), clients=clients)


def _has_pki(config: Config) -> bool:
    return any(section is not None for _, section in _pki_sections(config))


def _has_patterns(root: yaml.Node, path: Path) -> bool:
    """Return whether patterns of clients need the names of each `client-config-dir`."""
    expected = _peek(root, path, "expected_clients")
    return isinstance(expected, tuple) and any(map(is_pattern, expected))


def _pattern(source: DiscoverConfig) -> Pattern:
    return Pattern(source.pattern, source.options, source.allow_empty)


def _peek(root: yaml.Node, path: Path, key: str) -> object:
    """Return one top-level key before the whole file is read, which then reports its problems."""
    decoder = Decoder(source=str(path), directory=path.parent)
    with contextlib.suppress(InvalidNode, ConfigError):
        return decoder.decode_key(root, Config, key)
    return None


def _privacy_modes(root: yaml.Node) -> Iterator[str]:
    """Yield each mode in the file, valid or not, before the whole file is read."""
    sections = [_entry(root, "clients")]
    daemons = _entry(root, "daemons")
    if isinstance(daemons, yaml.SequenceNode):
        sections += daemons.value
    for section in sections:
        mode = _entry(section, "privacy")
        if mode is not None:
            yield str(mode.value)


def _entry(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _check_not_empty(config: Config, path: Path) -> Iterator[Problem]:
    if not config.daemons and not config.discover and not config.port_probes:
        text = "has no daemon: add one, or set discover to OpenVPN's own files"
        yield Problem(source=str(path), line=1, key="daemons", text=text)


def _check_privacy_key(config: Config) -> Iterator[Problem]:
    """Require a key for pseudonyms: without one, everyone can compute them."""
    if config.clients.privacy_key_file is not None:
        return
    modes = {"clients.privacy": config.clients.privacy} | {
        f"daemons[{index}].privacy": daemon.privacy for index, daemon in enumerate(config.daemons)
    }
    for key, mode in modes.items():
        if mode is PrivacyMode.PSEUDONYM:
            text = "pseudonym needs a key: set clients.privacy_key_file"
            yield Problem(key=key, text=text)


def _check_slot_release(config: Config) -> Iterator[Problem]:
    """Refuse to disconnect after each poll from a daemon that this harms."""
    for index, daemon in enumerate(config.daemons):
        if daemon.slot is SlotPolicy.RELEASE and daemon.openvpn_config:
            key = f"daemons[{index}].slot"
            for finding in check(daemon.openvpn_config, name=daemon.name):
                if finding.kind is Kind.HARMFUL_DISCONNECT:
                    text = f"release disconnects after each poll: {finding}"
                    yield Problem(key=key, text=text)


def _check_listening(config: Config) -> Iterator[Problem]:
    """Refuse a key that restricts who may connect, but not with this address."""
    for index, daemon in enumerate(config.daemons):
        if daemon.allow_from and not isinstance(daemon.management, ListenEndpoint):
            text = "is only for management: listen:HOST:PORT: remove it"
            yield Problem(key=f"daemons[{index}].allow_from", text=text)
        if daemon.listen_group is not None and isinstance(daemon.management, ListenEndpoint):
            text = "is only for management: listen:unix:/PATH: every user can connect to a port"
            yield Problem(key=f"daemons[{index}].listen_group", text=text)


def _pki_sections(config: Config) -> Iterator[tuple[str, PkiConfig | None]]:
    yield "pki", config.pki
    for index, daemon in enumerate(config.daemons):
        yield f"daemons[{index}].pki", daemon.pki
