"""The rules of the house, for every file of it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "exporter").rglob("*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 50


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
