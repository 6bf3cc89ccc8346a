"""The size of a tree of Python files: files, lines, functions."""

import ast
import statistics
from pathlib import Path

import msgspec

SMALL = 40
"""A file with fewer lines is small; `__init__.py` is not counted as such."""

LARGE = 400
"""A file with more lines is large."""


class TreeSize(msgspec.Struct, frozen=True, kw_only=True):
    """What a tree consists of; lengths are in lines."""

    files: int
    lines: int
    median_file: float
    small_files: int
    large_files: int
    functions: int
    median_function: float


def tree_size(root: Path) -> TreeSize:
    """Return the size of all Python files below `root`."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.py"))}
    lengths = {path: len(text.splitlines()) for path, text in texts.items()}
    modules = [length for path, length in lengths.items() if path.name != "__init__.py"]
    functions = [length for text in texts.values() for length in _function_lengths(text)]
    return TreeSize(
        files=len(lengths),
        lines=sum(lengths.values()),
        median_file=statistics.median(modules),
        small_files=sum(length < SMALL for length in modules),
        large_files=sum(length > LARGE for length in modules),
        functions=len(functions),
        median_function=statistics.median(functions),
    )


def _function_lengths(text: str) -> list[int]:
    return [
        node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]
