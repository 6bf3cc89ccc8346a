"""A daemon's status file (`--status FILE`), read whole or not at all.

OpenVPN rewrites it in place, each line a write of its own, and cuts off the rest at the end (seen
with 2.6.14): who reads meanwhile finds new rows before old ones. So a file counts once it has been
left alone for a moment and ends in its only `END`.
"""

import asyncio
import os
import time
from pathlib import Path

import msgspec

from exporter.aio import SingleFlight
from exporter.files import NotRegularFileError, open_regular
from exporter.management.errors import (
    EndpointNotFound,
    EndpointPermissionError,
    EndpointUnreachable,
    ManagementError,
    ProtocolError,
    ReplyTimeout,
)
from exporter.management.protocol import REPLY_LIMIT

SETTLE_TIME = 0.1
"""Seconds without a change before a file counts as written.

The kernel dates changes in steps of up to 10 ms, so two equal dates prove nothing.
"""

_END = b"\nEND\n"


class StatusFile:
    """Reads one file, by its path each time: it may be another one after a rotation."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        """Give up on a read after `timeout` seconds."""
        self._path = path
        self._timeout = timeout
        self._take = SingleFlight(lambda: _take(path))

    async def read(self) -> tuple[bytes, ...]:
        """Return the lines of a whole status, without line ends and without `END`.

        Raises:
            ManagementError: there is none; the type says why.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        while True:
            snapshot = await self._snapshot()
            if snapshot.settled:
                return self._lines(snapshot.content)
            if asyncio.get_running_loop().time() > deadline:
                raise ReplyTimeout(f"{self._path}: it is being written to all the time")
            await asyncio.sleep(SETTLE_TIME)

    async def _snapshot(self) -> "_Snapshot":
        try:
            async with asyncio.timeout(self._timeout):
                return await self._take()
        except TimeoutError as error:
            raise ReplyTimeout(f"{self._path}: the file system does not answer") from error
        except OSError as error:
            raise _explain(error, self._path) from error

    def _lines(self, content: bytes) -> tuple[bytes, ...]:
        if not content:
            raise ProtocolError(f"{self._path}: it is empty; the daemon has written no status yet")
        end = content.find(_END)
        if end < 0:
            raise ProtocolError(f"{self._path}: it has no END; is it OpenVPN's status file?")
        if end + len(_END) != len(content):
            raise ProtocolError(f"{self._path}: it goes on after its END; who else writes to it?")
        return tuple(content[:end].split(b"\n"))


class _Snapshot(msgspec.Struct, frozen=True):
    """What a file held, and whether nobody was writing to it."""

    content: bytes
    settled: bool


def _take(path: Path) -> _Snapshot:
    with open_regular(path) as file:
        before = os.fstat(file.fileno())
        if before.st_size > REPLY_LIMIT:
            raise ProtocolError(f"{path}: it has more than {REPLY_LIMIT} bytes")
        content = file.read(REPLY_LIMIT)
        after = os.fstat(file.fileno())
    age = time.time() - after.st_mtime
    same = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    return _Snapshot(content, settled=same and not 0 <= age < SETTLE_TIME)


def _explain(error: OSError, path: Path) -> ManagementError:
    """Turn the operating system's word into ours, with what to do about it."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return EndpointNotFound(
                f"{path}: no such file; does the daemon run with 'status {path}'?"
            )
        case PermissionError():
            return EndpointPermissionError(
                f"{path}: no permission; OpenVPN makes the file for root alone but keeps the mode "
                "of one that is there: make it before the daemon starts, readable by this user's "
                "group, and let that group into the directory"
            )
        case NotRegularFileError():
            return ProtocolError(f"{path}: {error.strerror}")
        case _:
            return EndpointUnreachable(f"{path}: {error.strerror or error}")
