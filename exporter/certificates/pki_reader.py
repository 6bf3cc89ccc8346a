"""Reads a list of issued certificates, and reads it again when it changes. All of it blocks."""

import itertools
import logging
from collections.abc import Iterable, Iterator
from typing import Protocol

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
        self._list = _certificate_list(source)
        self._stamp: object = None
        self._issued: IssuedCertificates | None = None
        self._problem: FileProblem | None = None

    def read(self) -> tuple[IssuedCertificates | None, FileProblem | None]:
        """Return what was read last, and why it may be old or incomplete."""
        try:
            stamp = self._list.stamp()
            if stamp != self._stamp or self._stamp is None:
                self._issued, error = _read(self._list)
                self._stamp = stamp
                self._set_problem(error)
        except (OSError, ValueError) as error:
            self._stamp = None  # a permission that is granted later does not change the stamp
            self._set_problem(error)
        return self._issued, self._problem

    def _set_problem(self, error: OSError | ValueError | None) -> None:
        problem = None if error is None else file_problem(error)
        if error is not None and problem is not self._problem:
            event(
                _log,
                Level.WARN,
                "cannot use list of issued certificates",
                file=str(self._source.path),
                error=error_text(error),
            )
        self._problem = problem


def _certificate_list(source: PkiSource) -> CertificateList:
    if not source.is_directory:
        return IndexFile(source)
    # Loaded here at the earliest: an optional and slow library.
    from exporter.certificates.directory import CertificateDirectory  # noqa: PLC0415

    return CertificateDirectory(source)


def _read(source: CertificateList) -> tuple[IssuedCertificates, ValueError | None]:
    """Return the certificates of a list, and the first of its errors, if there is any."""
    errors: list[OSError | ValueError] = []
    count = itertools.count()

    def certificates() -> Iterator[IssuedCertificate]:
        for item in source.read():
            if isinstance(item, IssuedCertificate):
                yield item
            elif not next(count):
                errors.append(item)

    issued = IssuedCertificates(certificates())
    if not errors:
        return issued, None
    more = next(count) - 1
    return issued, ValueError(error_text(errors[0]) + (f", and {more} more errors" if more else ""))
