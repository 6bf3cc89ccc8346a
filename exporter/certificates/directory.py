"""A directory of issued certificates in PEM, and the CRLs that revoke them.

A file may have text around its certificate, as easy-rsa writes it. Those that can't be a client's
do not count: of a CA, or for servers only.
"""

import itertools
import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exporter.certificates.files import LIMIT as MAX_CRL_BYTES
from exporter.certificates.index import shown_name
from exporter.certificates.issued import IssuedCertificate
from exporter.certificates.pem import (
    InvalidPem,
    convert_certificates,
    convert_crls,
    inline_block,
)
from exporter.certificates.pki import PkiSource
from exporter.certificates.source import CertificateSource
from exporter.files import FileStamp, read_regular

MAX_FILES = 20_000
"""Most files of a directory."""

MAX_BYTES = 256 * 1024
"""Largest file, in bytes; a certificate with its chain and text has less than 20 KB."""

_SUFFIXES = frozenset({".crt", ".pem", ".cer"})

_Key = tuple[bytes, int]
"""Issuer and serial number, which together are unique."""


class _Listed(msgspec.Struct, frozen=True):
    """The client certificates of one version of a file, each with its issuer; or its error."""

    stamp: FileStamp
    certificates: tuple[tuple[_Key, IssuedCertificate], ...] = ()
    error: OSError | ValueError | None = None


class CertificateDirectory:
    """A directory; an unchanged file of it is not read again."""

    def __init__(self, source: PkiSource) -> None:
        self._path = source.path
        self._crls = source.crls
        self._stamps: tuple[FileStamp, ...] = ()
        self._cached: dict[Path, _Listed] = {}

    def stamp(self) -> object:
        """Return the versions of all files.

        Raises:
            OSError: the directory can't be listed.
            ValueError: it has too many files.
        """
        with os.scandir(self._path) as entries:
            names = [entry.name for entry in itertools.islice(entries, MAX_FILES + 1)]
        if len(names) > MAX_FILES:
            raise ValueError(f"more than {MAX_FILES} files")
        paths = (self._path / name for name in sorted(names))
        found = (path for path in paths if path.suffix in _SUFFIXES)
        self._stamps = tuple(map(FileStamp.read, found))
        return self._stamps, tuple(FileStamp.read(crl.path) for crl in self._crls)

    def read(self) -> Iterator[IssuedCertificate | OSError | ValueError]:
        """Yield the certificates of the files of the last `stamp`, and the errors of files."""
        files = map(self._listed, self._stamps)
        self._cached = {file.stamp.path: file for file in files}
        keys = {key for file in self._cached.values() for key, _ in file.certificates}
        revoked: set[_Key] = set()
        for crl in self._crls:
            try:
                revoked |= _revoked(crl, keys)
            except OSError as error:
                yield OSError(error.errno, f"{crl.path}: {error.strerror}")
            except ValueError as error:
                yield ValueError(f"{crl.path}: {error}")
        for file in self._cached.values():
            if file.error is not None:
                yield file.error
            for key, certificate in file.certificates:
                yield msgspec.structs.replace(certificate, revoked=key in revoked)

    def _listed(self, stamp: FileStamp) -> _Listed:
        cached = self._cached.get(stamp.path)
        if cached is not None and cached.stamp == stamp and cached.error is None:
            return cached
        try:
            found = convert_certificates(read_regular(stamp.path, MAX_BYTES), _issued)
        except OSError as error:
            return _Listed(stamp, error=OSError(error.errno, f"{stamp.path}: {error.strerror}"))
        except ValueError as error:
            return _Listed(stamp, error=ValueError(f"{stamp.path}: {error}"))
        return _Listed(stamp, tuple(filter(None, found)))


def _issued(certificate: x509.Certificate) -> tuple[_Key, IssuedCertificate] | None:
    """Return a certificate with its key; None if it can't be a client's."""
    if not _may_be_a_client(certificate):
        return None
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = names[-1].value if names else ""
    return (
        (certificate.issuer.public_bytes(), certificate.serial_number),
        IssuedCertificate(
            common_name=shown_name(name.encode() if isinstance(name, str) else name),
            serial=certificate.serial_number,
            not_after=max(0, int(certificate.not_valid_after_utc.timestamp())),
            revoked=False,
        ),
    )


def _may_be_a_client(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return bool(
        {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & {*usage}
    )


def _revoked(source: CertificateSource, keys: AbstractSet[_Key]) -> set[_Key]:
    """Return those of the keys that the CRLs in a file revoke; a CRL may have a million others."""
    content = read_regular(source.path, MAX_CRL_BYTES)
    if source.inline:
        content = inline_block(content, source.directive)

    def revoked_by(crl: x509.CertificateRevocationList) -> set[_Key]:
        issuer = crl.issuer.public_bytes()
        return {key for entry in crl if (key := (issuer, entry.serial_number)) in keys}

    lists = convert_crls(content, revoked_by)
    if not lists:
        raise InvalidPem("no PEM block '-----BEGIN X509 CRL-----'")
    return set().union(*lists)
