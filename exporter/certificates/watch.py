"""Reads the files of a daemon, and reads them again when they change."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from exporter.aio import run_in_daemon_thread
from exporter.certificates.pem import InvalidPem, inline_block, parse
from exporter.certificates.reading import CertificateFileState, Entry, FileProblem
from exporter.certificates.source import CertificateSource
from exporter.files import FileStamp, FileTooLargeError, NotRegularFileError, read_regular
from exporter.log import Level, event

INTERVAL = 60.0
"""Seconds between looks at the files."""

START_SPREAD = 1.0
"""Seconds over which the first looks for all daemons are spread."""

LIMIT = 64 * 1024 * 1024
"""Bytes of a file at most; a revocation list of a million certificates has 40 MB."""

_log = logging.getLogger(__name__)


async def watch_files(
    sources: Sequence[CertificateSource],
    take: Callable[[tuple[CertificateFileState, ...]], None],
    phase: float = 0.0,
) -> None:
    """Look soon and every minute, for ever; `take` gets all readings whenever one changed.

    `phase`, 0 to 1, tells how soon, so that not all files of many daemons are read at once.
    """
    files, last = CertificateFiles(sources), tuple[CertificateFileState, ...]()
    await asyncio.sleep(phase * START_SPREAD)
    while True:
        with contextlib.suppress(OSError):  # no thread can be had: in a minute, perhaps
            readings = await run_in_daemon_thread(files.look)
            if readings != last:
                take(readings)
            last = readings
        await asyncio.sleep(INTERVAL)


class CertificateFiles:
    """Looks at some files; those that have not changed are not read."""

    def __init__(self, sources: Sequence[CertificateSource]) -> None:
        """Read nothing yet."""
        self._sources = sources
        self._known: dict[CertificateSource, tuple[FileStamp | None, CertificateFileState]] = {}

    def look(self) -> tuple[CertificateFileState, ...]:
        """Return what each file says; this blocks on the file system."""
        return tuple(map(self._look_at, self._sources))

    def _look_at(self, source: CertificateSource) -> CertificateFileState:
        known, before = self._known.get(source, (None, None))
        stamp: FileStamp | None = FileStamp.read(source.path)
        if before is not None and stamp == known:
            return before
        try:
            reading = CertificateFileState(source, _entries(source))
        except (OSError, InvalidPem) as error:
            stamp = None  # a right that was granted changes nothing that a stamp holds
            reading = CertificateFileState(source, problem=_problem(error))
            if before is None or before.problem is not reading.problem:
                _warn(source, error)
        self._known[source] = stamp, reading
        return reading


def _entries(source: CertificateSource) -> tuple[Entry, ...]:
    content = read_regular(source.path, LIMIT)
    return parse(inline_block(content, source.use) if source.inline else content, source.use)


def _problem(error: OSError | InvalidPem) -> FileProblem:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return FileProblem.MISSING
        case PermissionError():
            return FileProblem.PERMISSION
        case InvalidPem() | NotRegularFileError() | FileTooLargeError():
            return FileProblem.GARBAGE
        case OSError():
            return FileProblem.UNREADABLE


def _warn(source: CertificateSource, error: OSError | InvalidPem) -> None:
    event(
        _log,
        Level.WARN,
        "cannot use a certificate file",
        file=str(source.path),
        directive=source.use.value,
        error=error.strerror or str(error) if isinstance(error, OSError) else str(error),
    )
