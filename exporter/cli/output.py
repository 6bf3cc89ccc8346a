"""Where a command's text goes: to standard output, or to a file, at once and whole."""

import os
import sys
import tempfile
from pathlib import Path

from exporter.cli.command import CommandFailed

_READABLE = 0o644


def write(content: bytes, output: Path | None) -> None:
    """Write to a file, or to standard output where there is none.

    Raises:
        CommandFailed: the file can't be written; the old one is untouched.
    """
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        replace_file(output, content)
    except OSError as error:
        raise CommandFailed(f"cannot write {output}: {error.strerror}") from error


def replace_file(path: Path, content: bytes) -> None:
    """Give a file a new content for all to read; whoever reads it sees the old or the new, whole.

    Raises:
        OSError: it can't be written; the old one is untouched.
    """
    # Hidden, and by another ending: who reads all files of the directory leaves it alone.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), _READABLE)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
