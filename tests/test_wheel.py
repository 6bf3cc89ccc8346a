"""The wheel contains the dashboards and pages, and no tests or generators."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from flit_core import buildapi  # type: ignore[import-untyped]

from exporter import dashboards

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack a wheel as pip does; return the directory."""
    built = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        wheel = built / buildapi.build_wheel(str(built))
    directory = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory)
    return directory


def run(installed: Path, *arguments: str) -> str:
    """Run the program from the wheel, outside of the repository."""
    return subprocess.run(  # noqa: S603 - constant program
        [sys.executable, "-m", "exporter", *arguments],
        cwd=installed,
        env=os.environ | {"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout


def test_every_dashboard_is_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "dashboards", "--output", str(tmp_path)) == ""
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == (
        dashboards.texts()
    )


def test_every_page_and_its_files_are_in_the_wheel(installed: Path) -> None:
    for kind in ("html", "css", "js"):
        source = {path.relative_to(ROOT) for path in (ROOT / "exporter").rglob(f"*.{kind}")}
        assert source
        assert {path.relative_to(installed) for path in installed.rglob(f"*.{kind}")} == source


def test_wheel_contains_only_the_package(installed: Path) -> None:
    assert {path.name.partition("-")[0] for path in installed.iterdir()} == {
        "exporter",
        "openvpn_exporter",
    }
