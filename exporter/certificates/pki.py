"""The lists of issued certificates: where they are, and what is known of them."""

from pathlib import Path

import msgspec

from exporter.certificates.issued import IssuedCertificates
from exporter.certificates.source import (
    CertificateDirective,
    CertificateSource,
    FileProblem,
    certificate_sources,
)
from exporter.config.target import Target


class PkiSource(msgspec.Struct, frozen=True):
    """Where issued certificates are listed: an index, or a directory of them with their CRLs."""

    path: Path
    is_directory: bool = False
    crls: tuple[CertificateSource, ...] = ()


class PkiState(msgspec.Struct, frozen=True):
    """What is known of the issued certificates at `now`, in seconds since the epoch.

    `issued` is what was read last, None if nothing was. With a `problem` it may be old, or lack the
    certificates of lines or files that can't be read.
    """

    source: PkiSource
    now: float
    issued: IssuedCertificates | None = None
    problem: FileProblem | None = None


def pki_source(target: Target) -> PkiSource | None:
    """Return where the certificates of a daemon's clients are listed; None if nowhere."""
    pki = target.pki
    if pki is None:
        return None
    if pki.index is not None:
        return PkiSource(pki.index)
    if pki.directory is None:
        return None
    sources = certificate_sources(target.daemon)
    crls = tuple(source for source in sources if source.directive is CertificateDirective.CRL)
    return PkiSource(pki.directory, is_directory=True, crls=crls)
