"""A configuration from a file."""

from pathlib import Path

from exporter.config.document import read_document
from exporter.config.errors import ConfigError
from exporter.config.reader import Reader, Unreadable
from exporter.config.schema import Config


def load(path: Path) -> Config:
    """Return what the file at `path` says; paths in it are relative to its directory.

    Raises ConfigError with every problem, in the order of the file.
    """
    root = read_document(path)
    reader = Reader(source=str(path), directory=path.parent)
    try:
        return reader.section(root, "", Config)
    except Unreadable:
        problems = sorted(reader.problems, key=lambda problem: problem.line or 0)
        raise ConfigError(tuple(problems)) from None
