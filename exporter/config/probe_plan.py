"""What the probes of ports are: the keys of the file, with what OpenVPN's configuration says."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from exporter.config.port_probe import (
    MAX_TARGETS,
    Digest,
    K,
    PortProbeConfig,
    PortProbeEntry,
    ProbeOptions,
    read_tls_key,
)
from exporter.openvpn_config import ConnectFreq, ControlChannelKey, OpenVpnConfig
from exporter.port_probe.keys import parse_server_key, parse_static_key
from exporter.port_probe.target import ProbeProtocol, ProbeTarget
from exporter.port_probe.wrapping import (
    PlainWrapping,
    ServerKey,
    TlsAuthWrapping,
    TlsCryptV2Wrapping,
    TlsCryptWrapping,
    Wrapping,
    load_library,
)

_CLIENT_DIRECTIONS = {"0": 1, "1": 0}
"""The direction of the clients, by that of the server."""

_MAX_SHARE = 10
"""Probes may take one of so many new connections that a daemon allows."""


class ProbePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The ports to probe, and how; durations are in seconds.

    `fits_limits`: the daemon's limits of new connections leave room for the probes, as far as they
    are known.
    """

    targets: tuple[ProbeTarget, ...]
    key: Wrapping | ServerKey
    interval: float
    timeout: float
    allow_traces: bool
    fits_limits: bool = True


class PlanError(Exception):
    """A key of the section has a problem: `key` is its name, "" for the section itself."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key
        self.text = text


def daemon_plan(probes: PortProbeConfig, openvpn: OpenVpnConfig | None) -> ProbePlan:
    """Return the plan of a daemon; `openvpn` is its own configuration, if discovered.

    Reads the file of a discovered key.

    Raises:
        PlanError: the keys contradict each other, or do not suffice.
    """
    listening = openvpn.listening if openvpn else None
    targets = probes.targets or (listening.targets if listening else ())
    if not targets:
        reason = f" ({listening.problem})" if listening and listening.problem else ""
        text = f"where clients reach the daemon is unknown{reason}: set targets"
        raise PlanError("targets" if probes.targets else "", text)
    if len(targets) > MAX_TARGETS:
        raise PlanError("targets", f"has {len(targets)} ports: write {MAX_TARGETS} at most")
    tcp = next((each for each in targets if each.protocol is ProbeProtocol.TCP), None)
    if tcp is not None and not probes.allow_traces:
        text = f"{tcp}: a server logs each probe over TCP: set allow_traces: true"
        raise PlanError("targets" if probes.targets else "", text)
    key: Wrapping | ServerKey | None = _explicit_key(probes)
    if key is None and listening is not None and listening.key is not None:
        key = _discovered_key(listening.key)
    limits = listening.connect_freqs if listening else ()
    return ProbePlan(
        targets=targets,
        key=key or PlainWrapping(),
        interval=probes.interval,
        timeout=probes.timeout,
        allow_traces=probes.allow_traces,
        fits_limits=all(_fits(limit, len(targets) / probes.interval) for limit in limits),
    )


def entry_plan(entry: PortProbeEntry) -> ProbePlan:
    """Return the plan of a port without a daemon.

    Raises:
        PlanError: the keys contradict each other, or do not suffice.
    """
    if not entry.allow_traces:
        text = (
            "must be true: the server's version is unknown here, and one older than 2.6 keeps "
            "traces of each probe, as over TCP"
        )
        raise PlanError("allow_traces", text)
    return ProbePlan(
        targets=(entry.target,),
        key=_explicit_key(entry) or PlainWrapping(),
        interval=entry.interval,
        timeout=entry.timeout,
        allow_traces=True,
    )


def _fits(limit: ConnectFreq, probes_per_second: float) -> bool:
    return probes_per_second * limit.seconds * _MAX_SHARE <= limit.connections


def _explicit_key(options: ProbeOptions) -> Wrapping | None:
    """Return the key that the file sets, None without one."""
    names = [name for name in ("tls_auth", "tls_crypt", "tls_crypt_v2") if getattr(options, name)]
    if len(names) > 1:
        raise PlanError(names[1], f"is set besides {names[0]}: keep the one that clients have")
    if options.tls_auth is not None:
        direction = None if options.key_direction is None else int(options.key_direction)
        return TlsAuthWrapping(options.tls_auth.key, direction, options.auth.value)
    for name in ("key_direction", "auth"):
        if getattr(options, name) not in {None, Digest.SHA1}:
            raise PlanError(name, "is only for tls_auth: set that, or remove this key")
    if options.tls_crypt is not None:
        return TlsCryptWrapping(options.tls_crypt.key)
    if options.tls_crypt_v2 is not None:
        return TlsCryptV2Wrapping(options.tls_crypt_v2.key)
    return None


def _discovered_key(found: ControlChannelKey) -> Wrapping | ServerKey:
    """Return the key of the clients of a server; its file is read."""
    try:
        match found.directive:
            case "tls-auth":
                return _discovered_tls_auth(found)
            case "tls-crypt":
                load_library()
                return TlsCryptWrapping(_read(found, parse_static_key))
            case _:
                load_library()
                return _discovered_server_key(found)
    except ValueError as error:
        name = found.directive.replace("-", "_")
        raise PlanError("", f"{error} ({found.location}): correct it, or set {name}") from None


def _discovered_tls_auth(found: ControlChannelKey) -> TlsAuthWrapping:
    if found.digest not in set(Digest):
        raise ValueError(f"the digest `auth {found.digest}` is not supported here")
    direction = None if found.direction is None else _CLIENT_DIRECTIONS.get(found.direction)
    return TlsAuthWrapping(_read(found, parse_static_key), direction, found.digest)


def _discovered_server_key(found: ControlChannelKey) -> ServerKey:
    if found.verifies:
        raise ValueError("the server runs `tls-crypt-v2-verify` for the key of each client")
    return ServerKey(_read(found, parse_server_key))


def _read(found: ControlChannelKey, parse: Callable[[bytes], K]) -> K:
    if isinstance(found.source, Path):
        return read_tls_key(found.source, parse)
    try:
        return parse(found.source.reveal())
    except ValueError as error:
        raise ValueError(f"the block <{found.directive}> {error}") from None
