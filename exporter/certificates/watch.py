"""Reads the certificate files of a daemon, and reads them again when they change."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from exporter.aio import run_in_daemon_thread
from exporter.certificates.pem import InvalidPem, inline_block, parse
from exporter.certificates.source import (
    CertificateFileState,
    CertificateSource,
    Entry,
    error_text,
    file_problem,
)
from exporter.files import FileStamp, read_regular
from exporter.log import Level, event

INTERVAL = 60.0
"""Seconds between two checks of the files."""

START_SPREAD = 1.0
"""Seconds over which the first checks of all daemons are spread."""

LIMIT = 64 * 1024 * 1024
"""Largest file, in bytes; a revocation list of a million certificates has 40 MB."""

_log = logging.getLogger(__name__)


async def watch_files(
    sources: Sequence[CertificateSource],
    on_change: Callable[[tuple[CertificateFileState, ...]], None],
    stagger: float = 0.0,
) -> None:
    """Check the files soon and every minute, forever; `on_change` gets all states after a change.

    `stagger`, 0 to 1, delays the first check, so that the files of many daemons are not read at
    once.
    """
    files, last = CertificateFiles(sources), tuple[CertificateFileState, ...]()
    await asyncio.sleep(stagger * START_SPREAD)
    while True:
        with contextlib.suppress(OSError):  # no thread can be started: try again in a minute
            states = await run_in_daemon_thread(files.read_all)
            if states != last:
                on_change(states)
            last = states
        await asyncio.sleep(INTERVAL)


class CertificateFiles:
    """The files of one daemon; an unchanged file is not read again."""

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
        except (OSError, InvalidPem) as error:
            stamp = None  # a permission that is granted later does not change the stamp
            state = CertificateFileState(source, problem=file_problem(error))
            if cached is None or cached.problem is not state.problem:
                _warn(source, error)
        self._cached[source] = stamp, state
        return state


def _entries(source: CertificateSource) -> tuple[Entry, ...]:
    content = read_regular(source.path, LIMIT)
    if source.inline:
        content = inline_block(content, source.directive)
    return parse(content, source.directive)


def _warn(source: CertificateSource, error: OSError | InvalidPem) -> None:
    event(
        _log,
        Level.WARN,
        "cannot use certificate file",
        file=str(source.path),
        directive=source.directive.value,
        error=error_text(error),
    )
