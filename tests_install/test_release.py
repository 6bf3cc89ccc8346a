"""What a release consists of: `make release`, and the workflow that publishes it."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter import __version__
from tests.test_project import TARGETS
from tests_install.chroot import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS = ROOT / ".venv" / "release" / "bin"
WHEEL = f"openvpn_exporter-{__version__}-py3-none-any.whl"
SOURCE = f"openvpn_exporter-{__version__}.tar.gz"
MATERIALS = f"openvpn_exporter-{__version__}.cdx.json"


def release(directory: Path) -> dict[str, bytes]:
    """Return the files of a release by their names."""
    subprocess.run(["make", "release", f"DIST={directory}"], cwd=ROOT, check=True)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("release")
    (path / "of-another-machine.deb").write_text("built elsewhere")
    release(path)
    return path


@pytest.fixture(scope="module")
def materials(directory: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((directory / MATERIALS).read_text())
    return read


def test_every_file_has_its_checksum(directory: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=directory, check=True)
    listed = {line.split()[1] for line in (directory / "SHA256SUMS").read_text().splitlines()}
    assert listed == {WHEEL, SOURCE, MATERIALS, "of-another-machine.deb"}


def test_second_build_gives_the_same_bytes(directory: Path, tmp_path: Path) -> None:
    again = release(tmp_path)
    assert set(again) == {WHEEL, SOURCE, MATERIALS, "SHA256SUMS"}
    for name in (WHEEL, SOURCE, MATERIALS):
        assert again[name] == (directory / name).read_bytes(), name


def test_python_m_build_gives_the_same_archives(directory: Path, tmp_path: Path) -> None:
    date = subprocess.run(
        ["make", "--silent", "--eval=date:;@echo $(SOURCE_DATE_EPOCH)", "date"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    build: list[str | Path] = [TOOLS / "python", "-m", "build", "--outdir", tmp_path]
    subprocess.run(build, cwd=ROOT, env=os.environ | {"SOURCE_DATE_EPOCH": date}, check=True)
    for name in (WHEEL, SOURCE):
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes(), name


class TestBillOfMaterials:
    def test_describes_the_exporter(self, materials: dict[str, Any]) -> None:
        component = materials["metadata"]["component"]
        assert (component["name"], component["version"]) == ("openvpn-exporter", __version__)

    def test_has_the_locked_packages(self, materials: dict[str, Any]) -> None:
        text = (ROOT / "requirements" / "run.txt").read_text()
        locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, re.MULTILINE))
        found = {
            re.sub(r"[_.]", "-", component["name"].lower()): component["version"]
            for component in materials["components"]
        }
        assert found == locked

    def test_has_licences(self, materials: dict[str, Any]) -> None:
        components = materials["components"]
        assert [part["name"] for part in components if not part.get("licenses")] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestWorkflow:
    def test_has_the_form_of_a_workflow(self, path: Path) -> None:
        schema = ["--builtin-schema", "vendor.github-workflows"]
        subprocess.run([TOOLS / "check-jsonschema", *schema, path], check=True)

    def test_names_each_action_by_its_commit(self, path: Path) -> None:
        actions = re.findall(r"uses: (.*)", path.read_text())
        assert actions
        assert [
            action
            for action in actions
            if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
        ] == []

    def test_runs_targets_that_exist(self, path: Path) -> None:
        jobs = yaml.safe_load(path.read_text())["jobs"].values()
        runs = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
        targets = [match[1] for run in runs if (match := re.match(r"make ([a-z-]+)$", run))]
        assert {"test", "test-install", "deb", "release"} == set(targets)
        assert set(targets) <= set(TARGETS)
