"""The project's own files agree with each other."""

import configparser
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.cli.options import DEFAULT_ADDRESS
from exporter.log import Level

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = dict(re.findall(r"^([a-z-]+):([^#\n]*) ##", MAKEFILE, re.MULTILINE))
ISSUE_FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


class TestPythonVersions:
    minors = tuple(
        int(minor)
        for minor in re.findall(
            r"^Programming Language :: Python :: 3\.(\d+)$",
            "\n".join(PROJECT["project"]["classifiers"]),
            re.MULTILINE,
        )
    )

    def test_the_classifiers_begin_with_the_required_one_and_leave_none_out(self) -> None:
        assert PROJECT["project"]["requires-python"] == f">=3.{self.minors[0]}"
        assert self.minors == tuple(range(self.minors[0], self.minors[-1] + 1))

    def test_tools_check_for_the_oldest(self) -> None:
        oldest = self.minors[0]
        assert PROJECT["tool"]["mypy"]["python_version"] == f"3.{oldest}"
        assert PROJECT["tool"]["ruff"]["target-version"] == f"py3{oldest}"
        assert f"--python-version 3.{oldest} " in (ROOT / "scripts" / "lock").read_text()
        assert f"sys.version_info < (3, {oldest})" in MAKEFILE

    def test_the_image_has_one_of_them(self) -> None:
        dockerfile = (ROOT / "Dockerfile").read_text()
        image = re.search(r"^ARG PYTHON=python:3\.(\d+)\.", dockerfile, re.MULTILINE)
        assert image is not None
        assert int(image[1]) in self.minors


def test_the_commit_hooks_run_every_check_of_make_test() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    checks = [target for target in TARGETS["test"].split() if target in TARGETS]
    assert [hook["entry"] for hook in hooks] == [f"make {check}" for check in checks]
    assert [hook["id"] for hook in hooks] == checks


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", "RELEASE.md", ".github/PULL_REQUEST_TEMPLATE.md"],
)
def test_every_make_target_that_a_page_names_exists(page: str) -> None:
    commands = re.findall(r"(?:`|^ {4,})make ([a-z -]+)", (ROOT / page).read_text(), re.MULTILINE)
    assert {target for command in commands for target in command.split()} <= set(TARGETS)


class TestLocks:
    names = tuple(sorted(path.name for path in (ROOT / "requirements").iterdir()))

    def test_make_audit_checks_every_lock(self) -> None:
        locks = re.search(r"\$\(foreach lock,([a-z ]+),", MAKEFILE)
        assert locks is not None
        assert sorted(f"{name}.txt" for name in locks[1].split()) == list(self.names)

    def test_every_lock_is_written_by_one_script(self) -> None:
        script = (ROOT / "scripts" / "lock").read_text()
        written = re.findall(r"^lock requirements/([a-z]+\.txt) ", script, re.MULTILINE)
        assert sorted(written) == list(self.names)

    @pytest.mark.parametrize("name", names)
    def test_every_package_has_a_version_and_hashes(self, name: str) -> None:
        text = (ROOT / "requirements" / name).read_text()
        packages = re.findall(r"^[a-z0-9][^\n]*(?:\n +[^\n]*)*", text, re.MULTILINE)
        assert packages
        for package in packages:
            assert re.match(r"[a-z0-9.-]+==[^ ]+", package), package
            assert "--hash=sha256:" in package, package


class TestEditorConfig:
    config = configparser.ConfigParser()
    config.read_string("[root]\n" + (ROOT / ".editorconfig").read_text())

    def test_lines_of_python_are_as_long_as_ruff_allows(self) -> None:
        assert self.config["*.py"]["max_line_length"] == str(PROJECT["tool"]["ruff"]["line-length"])

    def test_every_text_file_follows_it(self) -> None:
        texts = {name: (ROOT / name).read_bytes().decode() for name in text_files()}
        assert [name for name, text in texts.items() if text and not text.endswith("\n")] == []
        assert [name for name, text in texts.items() if re.search(r"[ \t\r]\n", text)] == []
        assert [name for name, text in texts.items() if re.search(r"(\A|\n) *\t", text)] == [
            "Makefile"
        ]


def text_files() -> list[str]:
    """Return the text files that git knows, without the recorded sessions."""
    return known_files(":!tests/data", ":!*.png")


def known_files(*patterns: str) -> list[str]:
    """Return the files that git knows."""
    git = shutil.which("git") or pytest.skip("git is not installed")
    listed = subprocess.run(  # noqa: S603 - fixed arguments
        [git, "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    if listed.returncode:
        pytest.skip(listed.stderr)
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


class TestIssueForms:
    @pytest.mark.parametrize("path", ISSUE_FORMS, ids=lambda path: path.name)
    def test_each_field_has_a_label_and_an_id_of_its_own(self, path: Path) -> None:
        form = yaml.safe_load(path.read_text())
        assert form["name"]
        assert form["description"]
        fields = [element for element in form["body"] if element["type"] != "markdown"]
        kinds = {"input", "textarea", "dropdown", "checkboxes"}
        assert {field["type"] for field in fields} <= kinds
        assert all(field["attributes"]["label"] for field in fields)
        assert len({field["id"] for field in fields}) == len(fields)

    def test_the_bug_report_asks_for_what_the_program_can_tell(self) -> None:
        text = (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug_report.yml").read_text()
        assert "openvpn-exporter --version" in text
        assert "openvpn-exporter check --connect" in text
        assert f"localhost{DEFAULT_ADDRESS}/probe?target=NAME&debug=true" in text
        assert f"localhost{DEFAULT_ADDRESS}/config" in text
        assert f"--log.level={Level.DEBUG}" in text
