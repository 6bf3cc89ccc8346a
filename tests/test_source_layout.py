"""The rules for the source files of the package."""

import ast
import collections
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "exporter").rglob("*.py"))
PACKAGES = sorted(path.parent for path in (ROOT / "exporter").rglob("__init__.py"))

MODULE_LINES = 400
FUNCTION_LINES = 50

NEIGHBOURS = {
    "__main__": {"cli"},
    "aio": set(),
    "alert_rules": {"config"},
    "app": {
        "aio",
        "config",
        "log",
        "metrics",
        "monitor",
        "openvpn_config",
        "reload",
        "sharing",
        "state",
        "transport",
        "web",
    },
    "certificates": {"aio", "config", "files", "log", "management", "openvpn_config"},
    "cli": {
        "aio",
        "alert_rules",
        "app",
        "certificates",
        "config",
        "dashboards",
        "descriptors",
        "files",
        "garbage",
        "log",
        "management",
        "metrics",
        "monitor",
        "openvpn_config",
        "port_probe",
        "simulator",
        "state",
        "web",
    },
    "config": {"files", "management", "openvpn_config", "port_probe", "secret"},
    "dashboards": set(),
    "descriptors": set(),
    "files": set(),
    "garbage": set(),
    "log": set(),
    "management": {"secret"},
    "metrics": {"aio", "certificates", "config", "log", "management", "port_probe", "state"},
    "monitor": {
        "aio",
        "certificates",
        "config",
        "descriptors",
        "files",
        "log",
        "management",
        "port_probe",
        "secret",
        "state",
        "transport",
    },
    "openvpn_config": {"files", "management", "port_probe", "secret"},
    "port_probe": {"management", "secret"},
    "reload": {"aio", "config", "log", "metrics"},
    "secret": set(),
    "sharing": {
        "aio",
        "config",
        "descriptors",
        "log",
        "management",
        "monitor",
        "secret",
        "state",
        "transport",
    },
    "simulator": {"management"},
    "state": {"certificates", "config", "management", "port_probe"},
    "transport": {"aio", "descriptors", "management", "port_probe", "secret"},
    "web": {
        "aio",
        "certificates",
        "config",
        "files",
        "log",
        "management",
        "metrics",
        "secret",
        "state",
        "transport",
    },
}
"""The imports of each top-level package and module from the others."""


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=by_name)
class TestEveryModule:
    def test_has_a_docstring(self, path: Path) -> None:
        docstring = ast.get_docstring(ast.parse(path.read_bytes()))
        assert docstring is not None
        assert docstring.endswith((".", "`", ":")) or "\n" in docstring

    def test_is_not_too_long(self, path: Path) -> None:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES

    def test_has_no_long_function(self, path: Path) -> None:
        assert long_functions(path) == []

    def test_has_a_specific_name(self, path: Path) -> None:
        assert path.stem not in {"utils", "util", "helpers", "common", "misc", "manager", "base"}


def test_packages_import_exactly_the_listed_ones() -> None:
    found: dict[str, set[str]] = {name: set() for name in NEIGHBOURS}
    for path in MODULES:
        part = path.relative_to(ROOT / "exporter").parts[0].removesuffix(".py")
        if part != "__init__":
            found.setdefault(part, set()).update(imported_parts(path) - {part, "__version__"})
    assert found == NEIGHBOURS


@pytest.mark.parametrize("package", PACKAGES, ids=by_name)
def test_the_docstring_of_a_package_lists_its_modules(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_bytes())) or ""
    names = {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    names |= {path.parent.name for path in package.glob("*/__init__.py")}
    assert {name for name in names if not re.search(rf"\b{name}\b", docstring)} == set()


def test_no_two_classes_have_the_same_name() -> None:
    counts = collections.Counter(
        node.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in counts.items() if count > 1] == []


def imported_parts(path: Path) -> set[str]:
    """Return the top-level packages and modules that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module == "exporter":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("exporter."):
            names.add((node.module or "").split(".")[1])
    return names


def long_functions(path: Path) -> list[str]:
    return [
        node.name
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
    ]
