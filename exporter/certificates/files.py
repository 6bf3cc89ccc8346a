"""Reads certificate files, and reads them again when they change."""

import logging
from collections.abc import Sequence

from exporter.certificates.source import (
    CertificateFileState,
    CertificateSource,
    Entry,
    error_text,
    file_problem,
)
from exporter.files import FileStamp, read_regular
from exporter.log import Level, event

LIMIT = 64 * 1024 * 1024
"""Largest file, in bytes; a revocation list of a million certificates has 40 MB."""

_log = logging.getLogger(__name__)


class CertificateFiles:
    """Some files; an unchanged one is not read again."""

    def __init__(self, sources: Sequence[CertificateSource]) -> None:
        self._sources = sources
        self._cached: dict[CertificateSource, tuple[FileStamp | None, CertificateFileState]] = {}

    def read_all(self) -> tuple[CertificateFileState, ...]:
        """Return the state of each file; blocks."""
        return tuple(map(self._read, self._sources))

    def _read(self, source: CertificateSource) -> CertificateFileState:
        cached_stamp, cached = self._cached.get(source, (None, None))
        stamp: FileStamp | None = FileStamp.read(source.path)
        if cached is not None and stamp == cached_stamp:
            return cached
        try:
            state = CertificateFileState(source, _entries(source))
        except (OSError, ValueError) as error:
            stamp = None  # a permission that is granted later does not change the stamp
            state = CertificateFileState(source, problem=file_problem(error))
            if cached is None or cached.problem is not state.problem:
                _warn(source, error)
        self._cached[source] = stamp, state
        return state


def _entries(source: CertificateSource) -> tuple[Entry, ...]:
    # An optional and slow library: loaded here, in a thread, when there is a file to read.
    from exporter.certificates.pem import inline_block, parse  # noqa: PLC0415

    content = read_regular(source.path, LIMIT)
    if source.inline:
        content = inline_block(content, source.directive)
    return parse(content, source.directive)


def _warn(source: CertificateSource, error: OSError | ValueError) -> None:
    event(
        _log,
        Level.WARN,
        "cannot use certificate file",
        file=str(source.path),
        directive=source.directive.value,
        error=error_text(error),
    )
