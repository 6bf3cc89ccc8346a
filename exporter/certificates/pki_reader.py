"""Reads a list of issued certificates, and reads it again when it changes. All of it blocks."""

import logging
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from exporter.certificates.index import parse_index
from exporter.certificates.issued import IssuedCertificate, IssuedCertificates
from exporter.certificates.pki import PkiSource
from exporter.certificates.source import FileProblem, error_text, file_problem
from exporter.files import FileStamp, read_regular
from exporter.log import Level, event

MAX_BYTES = 64 * 1024 * 1024
"""Largest index, in bytes."""

_log = logging.getLogger(__name__)


class CertificateList(Protocol):
    """An index, or a directory."""

    def stamp(self) -> object:
        """Return a value that changes with the list."""

    def read(self) -> Iterable[IssuedCertificate | OSError | ValueError]:
        """Yield each certificate, and the error of each part that can't be read.

        Raises:
            OSError: the list can't be read.
            ValueError: it is too large, or none.
        """


class IndexFile:
    """An index."""

    def __init__(self, source: PkiSource) -> None:
        self._path = source.path

    def stamp(self) -> object:
        """Return the version of the file."""
        return FileStamp.read(self._path)

    def read(self) -> Iterator[IssuedCertificate | ValueError]:
        """Yield the certificate of each line, or its error."""
        return parse_index(read_regular(self._path, MAX_BYTES))


class PkiReader:
    """Keeps what was read last of one list."""

    def __init__(self, source: PkiSource) -> None:
        self._source = source
        self._list: CertificateList | None = None
        self._stamp: object = None
        self._issued: IssuedCertificates | None = None
        self._problem: FileProblem | None = None

    def read(self) -> tuple[IssuedCertificates | None, FileProblem | None]:
        """Return what was read last, and why it may be old or incomplete."""
        if self._list is None:
            self._list = _certificate_list(self._source)
        try:
            stamp = self._list.stamp()
            if stamp != self._stamp or self._stamp is None:
                self._issued, errors = _read(self._list)
                # A permission that is granted later does not change the stamp.
                self._stamp = None if errors.has_os_error else stamp
                self._set_problem(errors.first, more=errors.count - 1)
        except (OSError, ValueError) as error:
            self._stamp = None
            self._set_problem(error)
        return self._issued, self._problem

    def _set_problem(self, error: OSError | ValueError | None, more: int = 0) -> None:
        problem = None if error is None else file_problem(error)
        if error is not None and problem is not self._problem:
            text = error_text(error)
            event(
                _log,
                Level.WARN,
                "cannot use list of issued certificates",
                file=str(self._source.path),
                error=f"{text}, and {more} more errors" if more > 0 else text,
            )
        self._problem = problem


def _certificate_list(source: PkiSource) -> CertificateList:
    if not source.is_directory:
        return IndexFile(source)
    # An optional and slow library: loaded here, in a thread.
    from exporter.certificates.directory import CertificateDirectory  # noqa: PLC0415

    return CertificateDirectory(source)


class _Errors(msgspec.Struct):
    """The errors of the parts of a list."""

    first: OSError | ValueError | None = None
    count: int = 0
    has_os_error: bool = False

    def add(self, error: OSError | ValueError) -> None:
        self.first = self.first or error
        self.count += 1
        self.has_os_error |= isinstance(error, OSError)


def _read(source: CertificateList) -> tuple[IssuedCertificates, _Errors]:
    errors = _Errors()

    def certificates() -> Iterator[IssuedCertificate]:
        for item in source.read():
            if isinstance(item, IssuedCertificate):
                yield item
            else:
                errors.add(item)

    return IssuedCertificates(certificates()), errors
