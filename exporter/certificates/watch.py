"""Reads the files of a daemon, and reads them again when they change."""

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from exporter.aio import run_in_daemon_thread
from exporter.certificates.pem import InvalidPem, inline_block, parse
from exporter.certificates.reading import CertificateFileState, Entry, FileProblem
from exporter.certificates.source import CertificateSource
from exporter.log import Level, event

INTERVAL = 60.0
"""Seconds between looks at the files."""

START_SPREAD = 1.0
"""Seconds over which the first looks for all daemons are spread."""

LIMIT = 64 * 1024 * 1024
"""Bytes of a file at most; a revocation list of a million certificates has 40 MB."""

_log = logging.getLogger(__name__)


_Stamp = tuple[int, int, int]
"""Inode, size and time of change: what differs between two versions of a file."""


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
        self._known: dict[CertificateSource, tuple[_Stamp | None, CertificateFileState]] = {}

    def look(self) -> tuple[CertificateFileState, ...]:
        """Return what each file says; this blocks on the file system."""
        return tuple(map(self._look_at, self._sources))

    def _look_at(self, source: CertificateSource) -> CertificateFileState:
        stamp, before = self._known.get(source, (None, None))
        try:
            found = _stamp(source.path)
            if before is not None and found == stamp:
                return before
            reading = CertificateFileState(source, _entries(source))
        except (OSError, InvalidPem) as error:
            found = None  # a right that was granted changes nothing that a stamp holds
            reading = CertificateFileState(source, problem=_problem(error))
            if before is None or before.problem is not reading.problem:
                _warn(source, error)
        self._known[source] = found, reading
        return reading


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _entries(source: CertificateSource) -> tuple[Entry, ...]:
    # A pipe in the file's place would block for ever.
    descriptor = os.open(source.path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, no path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InvalidPem("it is no plain file")
        content = file.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise InvalidPem(f"it has more than {LIMIT} bytes")
    return parse(inline_block(content, source.use) if source.inline else content, source.use)


def _problem(error: OSError | InvalidPem) -> FileProblem:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return FileProblem.MISSING
        case PermissionError():
            return FileProblem.PERMISSION
        case OSError():
            return FileProblem.UNREADABLE
        case InvalidPem():
            return FileProblem.GARBAGE


def _warn(source: CertificateSource, error: OSError | InvalidPem) -> None:
    event(
        _log,
        Level.WARN,
        "cannot use a certificate file",
        file=str(source.path),
        directive=source.use.value,
        error=error.strerror or str(error) if isinstance(error, OSError) else str(error),
    )
