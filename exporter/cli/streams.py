"""Standard output and standard error of commands, which may be closed or have no reader.

A command that prints into a pipe without a reader goes on to its end: its exit code says what it
found, not who read it.
"""

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from exporter.cli.subcommand import CommandFailed

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDOUT, _STDERR = 1, 2


def prepare_streams() -> None:
    """Replace standard streams that are closed, and ignore the end of their readers.

    A closed descriptor would be given to the next socket, and what is printed would be sent there.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 -- the library's own signature
    os.close(descriptor)
    sys.stdout = _prepare(sys.stdout, sys.__stdout__, _STDOUT)
    sys.stderr = _prepare(sys.stderr, sys.__stderr__, _STDERR)


def _prepare(stream: TextIO | None, original: TextIO | None, descriptor: int) -> TextIO:
    if stream is not None and stream is not original:  # replaced by a test
        return stream
    raw = _Output(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor == _STDERR or raw.isatty(),
    )


class _Output(io.FileIO):
    """A standard stream: what its reader doesn't take is dropped."""

    _failed = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write bytes; raise CommandFailed, once, if they can't be written but for the reader."""
        if not self._failed:
            try:
                return super().write(data) or 0
            except BrokenPipeError:
                self._failed = True
            except OSError as error:
                self._failed = True
                if self.fileno() == _STDERR:
                    return memoryview(data).nbytes
                raise CommandFailed(f"cannot write the output: {error.strerror}") from error
        return memoryview(data).nbytes
