"""Checks of installations: clean Debian systems, and a table of all checks with their times."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests_install.chroot import BASES, ROOT, Chroot, clean_system

RELEASES = ("bookworm", "trixie")
"""Debian 12 and 13."""

outcomes: dict[str, tuple[str, float]] = {}


def pytest_sessionstart(session: pytest.Session) -> None:
    if os.geteuid():
        pytest.exit("make test-install needs root: it makes chroots", returncode=2)


def pytest_report_header() -> str:
    return f"chroots: made once in {BASES}, delete one to get a newer one"


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """The Debian release, each in turn for all tests of one file."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def system(release: str) -> Iterator[Chroot]:
    """A clean system, for all tests of one file."""
    with clean_system(release) as running:
        yield running


@pytest.fixture(scope="session")
def source_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive of this checkout; installations begin with it."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(["make", "dist", f"DIST={directory}"], cwd=ROOT, check=True)
    (archive,) = directory.glob("*.tar.gz")
    return archive


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    outcome, seconds = outcomes.get(report.nodeid, ("passed", 0.0))
    outcome = outcome if report.passed else report.outcome
    outcomes[report.nodeid] = (outcome, seconds + report.duration)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("checks of installations")
    for name, (outcome, seconds) in outcomes.items():
        check = name.removeprefix("tests_install/")
        terminalreporter.write_line(f"{outcome:<7} {seconds:6.1f} s  {check}")
