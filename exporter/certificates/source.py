"""Which files to read, and what OpenVPN uses them for."""

import enum
from pathlib import Path

import msgspec


class Use(enum.StrEnum):
    """The directive of OpenVPN that names the file."""

    CERT = "cert"
    CA = "ca"
    CRL = "crl-verify"


class Source(msgspec.Struct, frozen=True):
    """One file; with `inline`, the block of that directive inside an OpenVPN configuration."""

    use: Use
    path: Path
    inline: bool = False
