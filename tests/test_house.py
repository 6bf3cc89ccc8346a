"""The rules of the house, for every file of it."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "exporter").rglob("*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 50

# In two parts each, or this file would break its own rule.
OUTSIDE = ("../" + "shared", "/" + "work/", "issue " + "#")
"""Words that mean something only where this was written."""


def files() -> Iterator[Path]:
    """Give every file that belongs to the repository, new ones included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield ROOT / name


@pytest.mark.parametrize("words", OUTSIDE)
def test_no_file_mentions_what_is_not_in_the_repository(words: str) -> None:
    paths = list(files())
    assert Path(__file__) in paths
    assert [path for path in paths if words.encode() in path.read_bytes()] == []


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=by_name)
class TestEveryModule:
    def test_says_what_it_knows(self, path: Path) -> None:
        docstring = ast.get_docstring(ast.parse(path.read_bytes()))
        assert docstring is not None
        assert docstring.endswith((".", "`", ":")) or "\n" in docstring

    def test_is_short_enough_to_read(self, path: Path) -> None:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES

    def test_has_no_function_that_is_too_long(self, path: Path) -> None:
        assert long_functions(path) == []

    def test_is_no_drawer_for_odds_and_ends(self, path: Path) -> None:
        assert path.stem not in {"utils", "util", "helpers", "common", "misc", "manager", "base"}


def long_functions(path: Path) -> list[str]:
    return [
        node.name
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
    ]
