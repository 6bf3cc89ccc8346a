"""The image, as far as it can be tested without Docker."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from exporter import __version__
from exporter.cli import options
from exporter.cli.main import SERVE, command_parser
from exporter.web.listener import parse_listen_address
from tests.deploy.dockerfile import ROOT, Build, Stage, stages

PORT = parse_listen_address(options.DEFAULT_ADDRESS).port


@pytest.fixture(scope="module")
def build_stage() -> Stage:
    return stages(ROOT / "Dockerfile")[0]


@pytest.fixture(scope="module")
def image() -> Stage:
    return stages(ROOT / "Dockerfile")[-1]


class TestBuilding:
    def test_carried_out_step_by_step_gives_a_program_that_runs(
        self, build_stage: Stage, tmp_path: Path
    ) -> None:
        build = Build(tmp_path, downloads=False)
        build.carry_out(build_stage)
        home = build.installed / "openvpn-exporter"
        program = home / "bin" / "openvpn-exporter"
        done = subprocess.run([program, "--version"], capture_output=True, check=True)  # noqa: S603
        assert done.stdout.decode() == f"openvpn-exporter {__version__}\n"
        (package,) = home.glob("lib/*/site-packages/exporter")
        assert (package / "web" / "pages" / "style.css").exists()
        assert not list(home.glob("bin/pip*"))
        modules = {path.stem for path in package.rglob("*.py")}
        compiled = {path.name.partition(".")[0] for path in package.rglob("*.pyc")}
        assert modules == compiled

    def test_takes_only_what_is_locked(self, build_stage: Stage) -> None:
        installs = [text for text in build_stage.all("RUN") if "pip" in text and "venv" not in text]
        assert len(installs) == 4
        assert all("--require-hashes" in text or "--no-index" in text for text in installs)

    def test_installs_the_extra_for_certificates(self, build_stage: Stage) -> None:
        assert any("requirements/run.txt" in text for text in build_stage.all("RUN"))
        locked = (ROOT / "requirements" / "run.txt").read_text()
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        for requirement in extras["optional-dependencies"]["certificates"]:
            assert re.search(rf"^{requirement.split()[0]}==", locked, re.MULTILINE)

    def test_is_sent_what_it_copies_and_nothing_else(self, build_stage: Stage) -> None:
        copied = {path for text in build_stage.all("COPY") for path in text.split()[:-1]}
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        assert "*" in lines
        assert {line[1:] for line in lines if line.startswith("!")} == copied


class TestImage:
    def test_has_only_what_was_built(self, image: Stage) -> None:
        assert image.one("COPY") == "--from=build /opt/openvpn-exporter /opt/openvpn-exporter"
        assert image.all("RUN") == image.all("ADD") == []

    def test_starts_from_the_python_it_was_built_with(
        self, build_stage: Stage, image: Stage
    ) -> None:
        assert build_stage.one("FROM") == f"{image.one('FROM')} AS build"

    def test_starts_from_a_base_with_a_digest(self) -> None:
        arguments = r"^ARG PYTHON=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}$"
        assert re.search(arguments, (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    def test_runs_as_a_user_without_rights_by_number(self, image: Stage) -> None:
        user, group = map(int, image.one("USER").split(":"))
        assert user == group == PORT

    def test_runs_flags_that_exist(self, image: Stage) -> None:
        assert json.loads(image.one("ENTRYPOINT")) == ["openvpn-exporter"]
        parsed = command_parser(SERVE).parse_args(json.loads(image.one("CMD")))
        assert str(parsed.config_file) == "/etc/openvpn-exporter/config.yaml"

    def test_opens_the_port_it_serves(self, image: Stage) -> None:
        assert image.one("EXPOSE") == str(PORT)

    def test_says_what_it_is(self, image: Stage) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        labels = dict(
            re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]*)"', image.one("LABEL"))
        )
        assert labels["title"] == project["name"]
        assert labels["licenses"] == project["license"]
        arguments = {text.partition("=")[0] for text in image.all("ARG")}
        named = {name: value.strip("${}") for name, value in labels.items() if "$" in value}
        assert named == {
            "version": "VERSION",
            "revision": "REVISION",
            "source": "SOURCE",
            "base.name": "PYTHON",
        }
        assert set(named.values()) == arguments
        assert set(labels) - set(named) == {"title", "description", "licenses"}
