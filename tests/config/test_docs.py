import subprocess
import sys
from pathlib import Path

from exporter.config import docs

ROOT = Path(__file__).parents[2]


def test_page_in_docs_is_generated_from_the_schema() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == docs.render()


def test_module_prints_the_page() -> None:
    command = [sys.executable, "-m", "exporter.config.docs"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    assert done.stdout.decode() == docs.render()


def test_no_cell_breaks_its_table() -> None:
    rows = [line for line in docs.render().splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {5}
