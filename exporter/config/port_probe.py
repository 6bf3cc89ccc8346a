"""The keys of the probes of ports, and the files with the keys of OpenVPN that they name."""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import msgspec

from exporter.config.keys import KeySpec
from exporter.config.types import Boolean, Choice, Duration, FilePath, Label, ListOf, Scalar
from exporter.files import FileTooLargeError, read_regular
from exporter.port_probe.keys import (
    MAX_FILE_BYTES,
    ClientKey,
    StaticKey,
    parse_client_key,
    parse_static_key,
)
from exporter.port_probe.target import ProbeTarget, parse_target
from exporter.port_probe.wrapping import load_library

MAX_TARGETS = 8
"""Most targets of one daemon."""

MIN_INTERVAL = 10.0
"""Fewest seconds between two probes of a port."""


K = TypeVar("K")


class KeyDirection(enum.StrEnum):
    """The direction of a client's `tls-auth` key."""

    ZERO = "0"
    ONE = "1"


class Digest(enum.StrEnum):
    """The daemon's `auth`, for `tls-auth`."""

    SHA1 = "SHA1"
    SHA224 = "SHA224"
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class TlsKey(msgspec.Struct, Generic[K], frozen=True):
    """A file and the key in it; only the path is shown."""

    path: Path
    key: K

    def __str__(self) -> str:
        """Return the path."""
        return str(self.path)


class PortAddressType(msgspec.Struct, frozen=True):
    """A port that clients of a VPN connect to."""

    hint: str = "host:port/udp or host:port/tcp"

    def read(self, scalar: Scalar) -> ProbeTarget:
        """Return the value; raises ValueError."""
        return parse_target(scalar.text)


class TlsKeyFile(msgspec.Struct, Generic[K], frozen=True):
    """The path of a file with a key of OpenVPN, which is read now.

    `encrypts`: the key needs the extra `certificates`.
    """

    parse: Callable[[bytes], K]
    encrypts: bool = False
    hint: str = "path"

    def read(self, scalar: Scalar) -> TlsKey[K]:
        """Return the value; raises ValueError."""
        path = FilePath().read(scalar)
        if self.encrypts:
            load_library()
        return TlsKey(path, read_tls_key(path, self.parse))


def read_tls_key(path: Path, parse: Callable[[bytes], K]) -> K:
    """Return the key in a file; raises ValueError in one sentence, without the content."""
    try:
        content = read_regular(path, MAX_FILE_BYTES)
    except FileTooLargeError:
        raise ValueError(f"{path} has more than {MAX_FILE_BYTES} bytes: it is no key") from None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    try:
        return parse(content)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from None


class ProbeOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How ports are probed; durations are in seconds. The keys are those of a client."""

    interval: Annotated[
        float, KeySpec(Duration("10s", "1d"), "Time between two probes of each port.")
    ] = 60.0
    timeout: Annotated[
        float, KeySpec(Duration("100ms", "10s"), "How long to wait for the reply.")
    ] = 3.0
    allow_traces: Annotated[
        bool,
        KeySpec(
            Boolean(),
            "Also probe over TCP, and servers older than 2.6, where a probe leaves log lines and, "
            "over UDP, a client in a handshake for a minute; see "
            "[traces](port-probes.md#traces-of-a-probe).",
        ),
    ] = False
    tls_auth: Annotated[
        TlsKey[StaticKey] | None,
        KeySpec(
            TlsKeyFile(parse_static_key),
            "File of the key with which clients reach the server, relative to the configuration "
            "file; by default the key of the discovered configuration.",
        ),
    ] = None
    key_direction: Annotated[
        KeyDirection | None,
        KeySpec(Choice(KeyDirection), "With `tls_auth`, the clients' direction; most have `1`."),
    ] = None
    auth: Annotated[
        Digest, KeySpec(Choice(Digest), "With `tls_auth`, the `auth` of server and clients.")
    ] = Digest.SHA1
    tls_crypt: Annotated[
        TlsKey[StaticKey] | None,
        KeySpec(
            TlsKeyFile(parse_static_key, encrypts=True),
            "File of the `tls-crypt` key, likewise; needs the extra `certificates`.",
        ),
    ] = None
    tls_crypt_v2: Annotated[
        TlsKey[ClientKey] | None,
        KeySpec(
            TlsKeyFile(parse_client_key, encrypts=True),
            "File of the `tls-crypt-v2` key of a client, likewise.",
        ),
    ] = None


class PortProbeConfig(ProbeOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The probes of a daemon's ports."""

    enabled: Annotated[
        bool, KeySpec(Boolean(), "Probe the ports; `port_probe: true` is short for it.")
    ] = True
    targets: Annotated[
        tuple[ProbeTarget, ...],
        KeySpec(
            ListOf(PortAddressType()),
            f"The ports, {MAX_TARGETS} at most, as `vpn.example.org:1194/udp`; `udp4` or `tcp6` "
            "for one IP version. By default those on which the discovered daemon listens.",
        ),
    ] = ()


class PortProbeEntry(ProbeOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The probes of a port of a server that is not monitored here."""

    name: Annotated[
        str, KeySpec(Label(64), "Value of the label `daemon` of its series.", unique=True)
    ]
    target: Annotated[
        ProbeTarget,
        KeySpec(
            PortAddressType(),
            "The port, as `vpn.example.org:1194/udp`; `udp4` or `tcp6` for one IP version.",
        ),
    ]
