"""Which files to read, and what OpenVPN uses them for."""

import enum
from pathlib import Path

import msgspec

from exporter.config.schema import DaemonConfig
from exporter.config.types import can_read_certificates
from exporter.openvpn_config import Inline


class Directive(enum.StrEnum):
    """The directive of OpenVPN that names the file."""

    CERT = "cert"
    CA = "ca"
    CRL = "crl-verify"


class CertificateSource(msgspec.Struct, frozen=True):
    """One file; with `inline`, the block of that directive inside an OpenVPN configuration."""

    use: Directive
    path: Path
    inline: bool = False


def certificate_sources(daemon: DaemonConfig) -> tuple[CertificateSource, ...]:
    """Return what is to be read of a daemon: what the operator named, or OpenVPN's configuration.

    Nothing where certificates can't be read at all.
    """
    if not can_read_certificates():
        return ()
    deployment = daemon.deployment
    candidates = (
        (Directive.CERT, daemon.cert, deployment and deployment.certificate),
        (Directive.CA, daemon.ca, deployment and deployment.authority),
        (Directive.CRL, daemon.crl_verify, deployment and deployment.revocations),
    )
    found = []
    for use, named, discovered in candidates:
        if named is not None:
            found.append(CertificateSource(use, named))
        elif isinstance(discovered, Inline):
            found.append(CertificateSource(use, discovered.place.file, inline=True))
    return tuple(found)
