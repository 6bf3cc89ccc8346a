"""How the clients of a server reach it: its ports, the key of its control channel, its limits."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from exporter.management.endpoint import split_host_port
from exporter.openvpn_config import services
from exporter.openvpn_config.directives import Directive
from exporter.openvpn_config.errors import Location
from exporter.openvpn_config.options import Options
from exporter.port_probe.target import ProbeProtocol, ProbeTarget
from exporter.secret import SecretBytes

_DEFAULT_PORT = "1194"
_DEFAULT_PROTO = "udp"
_PROTO = re.compile(r"(udp|tcp)([46])?(?:-server)?")
_KEY_DIRECTIVES = ("tls-auth", "tls-crypt", "tls-crypt-v2")
_ALL_ADDRESSES = "*"
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}
_HINT = "it must be a host name, or an address"


class ControlChannelKey(msgspec.Struct, frozen=True):
    """The key of a server's control channel.

    `directive` is `tls-auth`, `tls-crypt` or `tls-crypt-v2` (then it is the server's key). `source`
    is a file, or the content of an inline block. `direction` is the server's own, `digest` its
    `auth`. `verifies`: the server runs `tls-crypt-v2-verify` for each first packet.
    """

    directive: str
    location: Location
    source: Path | SecretBytes
    direction: str | None
    digest: str
    verifies: bool


class ConnectFreq(msgspec.Struct, frozen=True):
    """`connect-freq` or `connect-freq-initial`: so many new connections in so many seconds."""

    connections: int
    seconds: int


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """The ports of a server on this host, and what a client needs to get an answer there.

    `problem` is the reason in one sentence why the ports are unknown.
    """

    targets: tuple[ProbeTarget, ...] = ()
    problem: str = ""
    key: ControlChannelKey | None = None
    connect_freqs: tuple[ConnectFreq, ...] = ()


def listening(options: Options, directory: Path) -> Listening:
    """Return how clients reach a server with these options; files are relative to `directory`."""
    targets: tuple[ProbeTarget, ...] = ()
    problem = ""
    try:
        targets = tuple(dict.fromkeys(_targets(options)))
    except ValueError as error:
        problem = str(error)
    return Listening(
        targets=targets,
        problem=problem,
        key=_key(options, directory),
        connect_freqs=tuple(_connect_freqs(options)),
    )


def _targets(options: Options) -> Iterator[ProbeTarget]:
    """Yield each socket of the server; where it listens on all addresses, those of loopback.

    From 2.7 on `local` may be repeated, with a port and a protocol.
    """
    bind = options.last("bind")
    ipv6_only = bind is not None and "ipv6only" in bind.arguments
    port = options.argument("lport") or options.argument("port") or _DEFAULT_PORT
    proto = options.argument("proto") or _DEFAULT_PROTO
    sockets = [directive.arguments for directive in options.all("local")] or [(_ALL_ADDRESSES,)]
    for arguments in sockets:
        host, local_port, local_proto = (*arguments, *(port, proto)[len(arguments) - 1 :])
        yield from _socket_targets(host, local_port, local_proto, ipv6_only=ipv6_only)


def _socket_targets(host: str, port: str, proto: str, *, ipv6_only: bool) -> Iterator[ProbeTarget]:
    match = _PROTO.fullmatch(proto)
    if match is None:
        raise ValueError(f"its `proto` {proto!r} is not one of a server")
    protocol = ProbeProtocol(match[1])
    number = _port_number(port)
    if host != _ALL_ADDRESSES:
        host, _ = split_host_port(f"{f'[{host}]' if ':' in host else host}:1", _HINT)
        yield ProbeTarget(host, number, protocol, int(match[2]) if match[2] else None)
        return
    # Without a digit the server listens on IPv4; with `6` on both, unless `bind ipv6only`.
    versions = (6,) if ipv6_only else (6, 4)
    for version in versions if match[2] == "6" else (4,):
        yield ProbeTarget(_LOOPBACK[version], number, protocol, version)


def _port_number(text: str) -> int:
    number = int(text) if text.isdecimal() else services.tcp_port(text)
    if number is None or not 1 <= number <= 65535:  # noqa: PLR2004
        raise ValueError(f"its port {text!r} is no number, and no service of this host")
    return number


def _key(options: Options, directory: Path) -> ControlChannelKey | None:
    """Return the key of the first of the directives: a server may have several for a transition."""
    for name in _KEY_DIRECTIVES:
        directive = options.last(name)
        if directive is not None:
            return ControlChannelKey(
                directive=name,
                location=directive.location,
                source=_source(directive, directory),
                direction=_direction(directive, options),
                digest=(options.argument("auth") or "SHA1").upper(),
                verifies="tls-crypt-v2-verify" in options,
            )
    return None


def _source(directive: Directive, directory: Path) -> Path | SecretBytes:
    if directive.inline is not None:
        return SecretBytes(directive.inline)
    return directory / directive.arguments[0]


def _direction(directive: Directive, options: Options) -> str | None:
    if directive.name != "tls-auth":
        return None
    return next(iter(directive.arguments[1:]), options.argument("key-direction"))


def _connect_freqs(options: Options) -> Iterator[ConnectFreq]:
    both = (options.all("connect-freq"), options.all("connect-freq-initial"))
    for directive in itertools.chain.from_iterable(each[-1:] for each in both):
        connections, seconds = directive.arguments
        if connections.isdecimal() and seconds.isdecimal() and int(connections):
            yield ConnectFreq(int(connections[:9]), int(seconds[:9]))
