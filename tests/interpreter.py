"""Run short Python programs, each in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path

from tests.fake_daemon import TEST_TIMEOUT

ROOT = Path(__file__).parents[1]


def run_program(program: str) -> str:
    """Run a program, require success and an empty stderr, and return its stdout."""
    result = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TEST_TIMEOUT,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout
