"""Files: reading up to a limit, detecting another version, atomic replacement."""

import contextlib
import errno
import math
import os
import select
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

_WORLD_READABLE = 0o644


class NotRegularFileError(OSError):
    """The path names a pipe, a socket or a device."""


class FileTooLargeError(OSError):
    """The file has more bytes than the caller accepts."""


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading, links followed; `strerror` of each error is its message.

    Raises:
        NotRegularFileError: the path names something else; a directory is an IsADirectoryError.
        OSError: the file can't be opened.
    """
    # Opening a pipe would wait for its writer.
    descriptor = _open(path)
    try:
        _check_regular(os.fstat(descriptor).st_mode, path)
    except OSError:
        os.close(descriptor)
        raise
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, no path
        yield file


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a Unix socket
            raise _not_regular(path) from error
        raise


def _check_regular(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise _not_regular(path)


def _not_regular(path: Path) -> NotRegularFileError:
    return NotRegularFileError(errno.EINVAL, "not a regular file", str(path))


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises:
        FileTooLargeError: the file has more than `limit` bytes.
        OSError: the file can't be read, as with `open_regular`.
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise FileTooLargeError(errno.EFBIG, f"more than {limit} bytes", str(path))
    return content


def read_file_or_pipe(path: Path, limit: int, *, timeout: float | None = None) -> bytes:
    """Return the first `limit` bytes of a regular file, a pipe or a terminal.

    Args:
        path: links are followed.
        limit: bytes that are read at most.
        timeout: seconds for the writer of a pipe to write and close it; None: no limit.

    Raises:
        OSError: the file can't be read, or the pipe had no end in time; `strerror` is the message.
    """
    descriptor = _open(path)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            return _read_pipe(descriptor, limit, path, timeout=timeout)
        _check_regular(mode, path)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def _read_pipe(descriptor: int, limit: int, path: Path, *, timeout: float | None) -> bytes:
    content = bytearray()
    end = math.inf if timeout is None else time.monotonic() + timeout
    # A pipe that never had a writer is not ready: it has no end yet.
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    while len(content) < limit:
        remaining = end - time.monotonic()
        if remaining <= 0 or not ready.poll(None if timeout is None else remaining * 1000):
            raise TimeoutError(
                errno.ETIMEDOUT, f"a pipe without an end for {timeout:g} s", str(path)
            )
        data = os.read(descriptor, limit - len(content))
        if not data:
            break
        content += data
    return bytes(content)


class FileStamp(msgspec.Struct, frozen=True):
    """The version of a file; `identity` is None where there was no file.

    The identity is inode, size and modification time.
    """

    path: Path
    identity: tuple[int, int, int] | None

    @classmethod
    def read(cls, path: Path) -> "FileStamp":
        """Return the stamp of the file that is at `path` now; blocks."""
        try:
            status = path.stat()
        except OSError:
            return cls(path, None)
        return cls(path, (status.st_ino, status.st_size, status.st_mtime_ns))

    def is_current(self) -> bool:
        """Return whether the file is still this version; blocks."""
        return self == FileStamp.read(self.path)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: a reader finds the old content or the new one, never a part.

    The new file is readable by all.

    Raises:
        OSError: the file can't be written; the old one is untouched.
    """
    # Hidden, and with another suffix: programs that read all files of the directory skip it.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), _WORLD_READABLE)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
