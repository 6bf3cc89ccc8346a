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

_Known = dict[CertificateSource, tuple[FileStamp | None, CertificateFileState]]
"""What was read last, and of which version of the file."""


class CertificateFiles:
    """Some files; an unchanged one is not read again."""

    def __init__(self, sources: Sequence[CertificateSource], known: _Known | None = None) -> None:
        """Read these files, of which some may be known already."""
        self.sources = sources
        known = known or {}
        self._known: _Known = {source: known[source] for source in sources if source in known}

    def replaced(self, sources: Sequence[CertificateSource]) -> "CertificateFiles":
        """Return other files; what is known of those that stay is kept."""
        return CertificateFiles(sources, self._known)

    def read_all(self) -> tuple[CertificateFileState, ...]:
        """Return the state of each file; blocks."""
        return tuple(map(self._read, self.sources))

    def _read(self, source: CertificateSource) -> CertificateFileState:
        known_stamp, known = self._known.get(source, (None, None))
        stamp: FileStamp | None = FileStamp.read(source.path)
        if known is not None and stamp == known_stamp:
            return known
        try:
            state = CertificateFileState(source, _entries(source))
        except (OSError, ValueError) as error:
            stamp = None  # a permission that is granted later does not change the stamp
            state = CertificateFileState(source, problem=file_problem(error))
            if known is None or known.problem is not state.problem:
                _warn(source, error)
        self._known[source] = stamp, state
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
