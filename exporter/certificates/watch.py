"""Reads the files of a daemon, and reads them again when they change."""

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from exporter.aio import run_in_daemon_thread
from exporter.certificates.pem import Garbage, inline_block, parse
from exporter.certificates.reading import Entry, Problem, Reading
from exporter.certificates.source import Source
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
    sources: Sequence[Source],
    take: Callable[[tuple[Reading, ...]], None],
    phase: float = 0.0,
) -> None:
    """Look soon and every minute, for ever; `take` gets all readings whenever one changed.

    `phase`, 0 to 1, tells how soon, so that not all files of many daemons are read at once.
    """
    files, last = Files(sources), tuple[Reading, ...]()
    await asyncio.sleep(phase * START_SPREAD)
    while True:
        with contextlib.suppress(OSError):  # no thread can be had: in a minute, perhaps
            readings = await run_in_daemon_thread(files.look)
            if readings != last:
                take(readings)
            last = readings
        await asyncio.sleep(INTERVAL)


class Files:
    """Looks at some files; those that have not changed are not read."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Read nothing yet."""
        self._sources = sources
        self._known: dict[Source, tuple[_Stamp | None, Reading]] = {}

    def look(self) -> tuple[Reading, ...]:
        """Return what each file says; this blocks on the file system."""
        return tuple(map(self._look_at, self._sources))

    def _look_at(self, source: Source) -> Reading:
        stamp, before = self._known.get(source, (None, None))
        try:
            found = _stamp(source.path)
            if before is not None and found == stamp:
                return before
            reading = Reading(source, _entries(source))
        except (OSError, Garbage) as error:
            found = None  # a right that was granted changes nothing that a stamp holds
            reading = Reading(source, problem=_problem(error))
            if before is None or before.problem is not reading.problem:
                _warn(source, error)
        self._known[source] = found, reading
        return reading


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _entries(source: Source) -> tuple[Entry, ...]:
    # A pipe in the file's place would block for ever.
    descriptor = os.open(source.path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, no path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Garbage("it is no plain file")
        content = file.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise Garbage(f"it has more than {LIMIT} bytes")
    return parse(inline_block(content, source.use) if source.inline else content, source.use)


def _problem(error: OSError | Garbage) -> Problem:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return Problem.MISSING
        case PermissionError():
            return Problem.PERMISSION
        case OSError():
            return Problem.UNREADABLE
        case Garbage():
            return Problem.GARBAGE


def _warn(source: Source, error: OSError | Garbage) -> None:
    event(
        _log,
        Level.WARN,
        "cannot use a certificate file",
        file=str(source.path),
        directive=source.use.value,
        error=error.strerror or str(error) if isinstance(error, OSError) else str(error),
    )
