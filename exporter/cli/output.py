"""Where a command's text goes: to standard output, or to a file, at once and whole."""

import sys
from pathlib import Path

from exporter.cli.command import CommandFailed
from exporter.files import replace_file


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
