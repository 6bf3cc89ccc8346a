"""What is known of a file of certificates or revocation lists."""

import enum

import msgspec

from exporter.certificates.source import CertificateSource


class Certificate(msgspec.Struct, frozen=True):
    """One certificate: its subject, its serial number in hexadecimal, its end as Unix time."""

    subject: str
    serial: str
    not_after: float


class RevocationList(msgspec.Struct, frozen=True):
    """One CRL: its issuer, and when the next is due as Unix time, None where it does not say."""

    issuer: str
    next_update: float | None


Entry = Certificate | RevocationList


class FileProblem(enum.StrEnum):
    """Why a file can't be used."""

    MISSING = "missing"
    PERMISSION = "permission"
    UNREADABLE = "unreadable"
    GARBAGE = "garbage"


class CertificateFileState(msgspec.Struct, frozen=True):
    """What a file said at the last look, or why it said nothing."""

    source: CertificateSource
    entries: tuple[Entry, ...] = ()
    problem: FileProblem | None = None
