"""Counts the calls of functions of the exporter in one thread, by folder, file and function."""

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

import exporter

PACKAGE = Path(exporter.__file__).parent
_SIMULATOR = PACKAGE / "simulator"
TOP = "(top)"
"""Stands for the files that are in no folder of the package."""


class CallProfile:
    """The calls of one block of code; the resumption of a coroutine or generator is a call, too."""

    def __init__(self) -> None:
        self._calls: Counter[CodeType] = Counter()

    @property
    def files(self) -> frozenset[Path]:
        """The files whose functions were called, relative to the package."""
        return frozenset(path for path, _ in self.functions)

    @property
    def functions(self) -> frozenset[tuple[Path, str]]:
        """The functions that were called: file and qualified name.

        Lambdas and comprehensions of the same function have one name and count as one function.
        """
        return frozenset((path, code.co_qualname) for path, code, _ in self._exporter_calls())

    @property
    def calls(self) -> int:
        """The number of calls."""
        return sum(count for _, _, count in self._exporter_calls())

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of the package that the calls passed."""
        return tuple(sorted({_folder(path) for path in self.files}))

    def of_folder(self, folder: str) -> "CallProfile":
        """Return the part of the profile that belongs to one folder."""
        part = CallProfile()
        for path, code, count in self._exporter_calls():
            if _folder(path) == folder:
                part._calls[code] = count
        return part

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Record the calls of this thread while the block runs."""
        sys.setprofile(self._on_event)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _on_event(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            self._calls[frame.f_code] += 1

    def _exporter_calls(self) -> Iterator[tuple[Path, CodeType, int]]:
        """Yield file, code and number of calls of each function of the exporter."""
        for code, count in self._calls.items():
            path = Path(code.co_filename)
            if path.is_relative_to(PACKAGE) and not path.is_relative_to(_SIMULATOR):
                yield path.relative_to(PACKAGE), code, count


def _folder(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else TOP
