"""A daemon's status file (`--status FILE`): its content once it is written whole, and its age.

OpenVPN rewrites the file in place, each line with a write of its own, and truncates it at the end
(seen with 2.6.14): read meanwhile, it has new rows before old ones. So a file counts once it has
been unchanged for a moment and ends in its only `END`. OpenVPN for Windows writes CRLF; copies may
lack the last line end, or have blank lines behind `END`.
"""

import asyncio
import hashlib
import math
import os
import re
import time
from pathlib import Path
from typing import BinaryIO

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
from exporter.management.protocol import LINE_COST, LINE_LIMIT, REPLY_LIMIT, REPLY_LINE_LIMIT
from exporter.management.reply_lines import LineBlock, LinesBuilder, ReplyLines, has_longer_line

SETTLE_TIME = 0.1
"""Seconds without a change before a file counts as written.

The kernel dates changes in steps of up to 10 ms, so two equal times prove nothing.
"""

_END = re.compile(rb"\nEND\r?\n")

_PIECE = 64 * 1024
"""Bytes of a file that are read at once."""

_DIGEST_SIZE = 16


class ContentAge:
    """The age of a file's content, by the event loop's clock: the others may be set.

    A change of the content is news, whatever times are printed in it. The modification time counts
    only as far as the file was not looked at.
    """

    def __init__(self) -> None:
        self.absent_until = -math.inf
        """The last time at which the present content was not there yet."""
        self.written_at = 0.0
        """The first modification time of the present content: a copy gets a new one each time."""
        self._digest: bytes | None = None
        self._looked_at = -math.inf
        self._changed_at = -math.inf

    def record_absent(self, now: float) -> None:
        """Record that there is no file."""
        self._digest = None
        self._looked_at = now

    def update(self, digest: bytes, *, written_at: float, clock: float, now: float) -> float:
        """Record a content and the file's modification time; return its age in seconds.

        `clock` is the present time by the same clock, `now` that of the event loop.
        """
        if digest != self._digest:
            self._digest = digest
            self.written_at = written_at
            self.absent_until = self._looked_at
            self._changed_at = max(now - max(clock - written_at, 0.0), self._looked_at)
        self._looked_at = now
        return now - self._changed_at


class StatusFile:
    """Reads one file, by its path each time: after a rotation it may be another one."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        """A read is given up after `timeout` seconds."""
        self.path = path
        self._timeout = timeout
        self._read_file = SingleFlight(lambda: _read_file(path))

    async def read(self) -> "FileContent":
        """Return a whole status.

        Raises:
            ManagementError: there is none; the type says why.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        while True:
            snapshot = await self._snapshot()
            if snapshot.stable:
                self._check_end(snapshot)
                return snapshot.content
            if asyncio.get_running_loop().time() > deadline:
                raise ReplyTimeout(f"{self.path}: written to without a pause")
            await asyncio.sleep(SETTLE_TIME)

    async def _snapshot(self) -> "_Snapshot":
        try:
            async with asyncio.timeout(self._timeout):
                return await self._read_file()
        except TimeoutError as error:
            raise ReplyTimeout(f"{self.path}: the file system does not answer") from error
        except OSError as error:
            raise _map_oserror(error, self.path) from error

    def _check_end(self, snapshot: "_Snapshot") -> None:
        if not snapshot.count:
            raise ProtocolError(f"{self.path}: empty; the daemon has written no status yet")
        lines = len(snapshot.content.lines)
        if lines == snapshot.count:
            raise ProtocolError(f"{self.path}: no END line; is it OpenVPN's status file?")
        if lines + 1 != snapshot.count:
            raise ProtocolError(
                f"{self.path}: text after the END line; does another daemon, or 'log-append', "
                "write to the same file?"
            )


class FileContent(msgspec.Struct, frozen=True):
    """The lines of a status, up to the first `END`.

    `written_at` is the modification time of the file, `digest` that of its whole content.
    """

    lines: ReplyLines
    written_at: float
    digest: bytes


class _Snapshot(msgspec.Struct, frozen=True):
    """What is in a file; `stable` if it did not change while it was read, or just before.

    `count` is the number of all its lines, without blank ones at the end.
    """

    content: FileContent
    count: int
    stable: bool


def _read_file(path: Path) -> _Snapshot:
    with open_regular(path) as file:
        before = os.fstat(file.fileno())
        if _is_fresh(before):
            return _Snapshot(FileContent(ReplyLines(()), before.st_mtime, b""), 0, stable=False)
        if before.st_size > REPLY_LIMIT:
            raise ProtocolError(f"{path}: more than {REPLY_LIMIT} bytes")
        lines, digest = _read_lines(file, path)
        after = os.fstat(file.fileno())
    same = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    content = FileContent(_before_end(lines), after.st_mtime, digest)
    stable = same and not _is_fresh(after)
    return _Snapshot(content, _count_without_blank_end(lines), stable=stable)


def _is_fresh(status: os.stat_result) -> bool:
    return 0 <= time.time() - status.st_mtime < SETTLE_TIME


def _read_lines(file: BinaryIO, path: Path) -> tuple[ReplyLines, bytes]:
    """Return the lines and the digest of a file, within the limits of a reply of the daemon.

    OpenVPN for Windows writes CRLF; copies may lack the last line end.
    """
    lines = LinesBuilder()
    rest = b""
    digest = hashlib.blake2b(digest_size=_DIGEST_SIZE)
    while piece := file.read(_PIECE):  # small: its lines are counted while the event loop waits
        digest.update(piece)
        end = piece.rfind(b"\n") + 1
        text, rest = (rest + piece[:end], piece[end:]) if end else (b"", rest + piece)
        if has_longer_line(text, LINE_LIMIT) or len(rest) > LINE_LIMIT:
            raise ProtocolError(f"{path}: a line of more than {LINE_LIMIT} bytes")
        if text:
            lines.add(LineBlock(text, text.count(b"\n")))
        if lines.size + len(lines) * LINE_COST > REPLY_LIMIT or len(lines) > REPLY_LINE_LIMIT:
            raise ProtocolError(f"{path}: more lines than the status of 100,000 clients has")
    if rest:
        lines.add(LineBlock(rest + b"\n", 1))
    return lines.build(), digest.digest()


def _before_end(lines: ReplyLines) -> ReplyLines:
    """Return the lines before the first `END`, all if there is none."""
    blocks: list[LineBlock] = []
    for block in lines.blocks:
        end = _END.search(b"\n" + block.text)
        if end is not None:
            text = block.text[: end.start()]
            return ReplyLines((*blocks, LineBlock(text, text.count(b"\n"))))
        blocks.append(block)
    return lines


def _count_without_blank_end(lines: ReplyLines) -> int:
    """Return the number of lines, without blank ones at the end."""
    count = len(lines)
    for block in reversed(lines.blocks):
        text = block.text.rstrip(b"\r\n")
        count -= block.text.count(b"\n", len(text)) - bool(text)
        if text:
            break
    return count


def _map_oserror(error: OSError, path: Path) -> ManagementError:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return EndpointNotFound(
                f"{path}: no such file; does the daemon run with 'status {path}'?"
            )
        case PermissionError():
            return EndpointPermissionError(
                f"{path}: no permission; OpenVPN creates the file for root alone but keeps the "
                "mode of an existing one: create it before the daemon starts, readable by the "
                "exporter's group, and let that group into the directory"
            )
        case NotRegularFileError():
            return ProtocolError(f"{path}: {error.strerror}")
        case _:
            return EndpointUnreachable(f"{path}: {error.strerror or error}")
