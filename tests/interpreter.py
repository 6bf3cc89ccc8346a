"""Programs of a few lines, each in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path

from tests.fake_daemon import SAFETY

ROOT = Path(__file__).parents[1]


def says(program: str) -> str:
    """Run a program to its end, which must be a good one, and return what it says."""
    ended = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SAFETY,
        check=True,
    )
    assert ended.stderr == ""
    return ended.stdout
