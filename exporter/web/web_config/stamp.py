"""What tells one content of a file from another, without reading it."""

from pathlib import Path

import msgspec


class FileStamp(msgspec.Struct, frozen=True):
    """A file as it was; `identity` is None where there was none."""

    path: Path
    identity: tuple[int, int, int] | None

    @classmethod
    def of(cls, path: Path) -> "FileStamp":
        """Take the stamp of the file that is at `path` now; blocks."""
        try:
            status = path.stat()
        except OSError:
            return cls(path, None)
        return cls(path, (status.st_ino, status.st_size, status.st_mtime_ns))

    def still_holds(self) -> bool:
        """Tell whether the file is the same, and has not been written to; blocks."""
        return self == FileStamp.of(self.path)
