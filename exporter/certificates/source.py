"""The certificate files of a daemon, and the content of each."""

import enum
from pathlib import Path

import msgspec

from exporter.config.schema import DaemonConfig
from exporter.config.types import can_read_certificates
from exporter.files import FileTooLargeError, NotRegularFileError
from exporter.openvpn_config import Inline


class CertificateDirective(enum.StrEnum):
    """The directive of OpenVPN that names the file."""

    CERT = "cert"
    CA = "ca"
    CRL = "crl-verify"


class CertificateSource(msgspec.Struct, frozen=True):
    """One file; if `inline`, the block of that directive in an OpenVPN configuration."""

    directive: CertificateDirective
    path: Path
    inline: bool = False


class Certificate(msgspec.Struct, frozen=True):
    """One certificate: its subject, its serial number in hexadecimal, its validity in Unix time."""

    subject: str
    serial: str
    not_before: float
    not_after: float


class RevocationList(msgspec.Struct, frozen=True):
    """One CRL: its issuer, and its dates as Unix times; `next_update` is None if it has none."""

    issuer: str
    last_update: float
    next_update: float | None


Entry = Certificate | RevocationList


class FileProblem(enum.StrEnum):
    """The reason why a file can't be used."""

    MISSING = "missing"
    PERMISSION = "permission"
    UNREADABLE = "unreadable"
    INVALID = "invalid"


def file_problem(error: OSError | ValueError) -> FileProblem:
    """Return the reason why a file can't be used."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return FileProblem.MISSING
        case PermissionError():
            return FileProblem.PERMISSION
        case ValueError() | NotRegularFileError() | FileTooLargeError():
            return FileProblem.INVALID
        case OSError():
            return FileProblem.UNREADABLE


def error_text(error: OSError | ValueError) -> str:
    """Return the error as a sentence for the log."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


class CertificateFileState(msgspec.Struct, frozen=True):
    """The content of a file when it was last read, or the reason why there is none."""

    source: CertificateSource
    entries: tuple[Entry, ...] = ()
    problem: FileProblem | None = None


def certificate_sources(daemon: DaemonConfig) -> tuple[CertificateSource, ...]:
    """Return the certificate files that a daemon's keys, or OpenVPN's configuration, name.

    None without the extra `certificates`: the configuration has no such paths then.
    """
    openvpn = daemon.openvpn_config
    candidates = (
        (CertificateDirective.CERT, daemon.cert, openvpn and openvpn.cert),
        (CertificateDirective.CA, daemon.ca, openvpn and openvpn.ca),
        (CertificateDirective.CRL, daemon.crl_verify, openvpn and openvpn.crl),
    )
    sources = []
    for directive, path, discovered in candidates:
        if path is not None:
            sources.append(CertificateSource(directive, path))
        elif isinstance(discovered, Inline) and can_read_certificates():
            file = discovered.location.file
            sources.append(CertificateSource(directive, file, inline=True))
    return tuple(sources)
