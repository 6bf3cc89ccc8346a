"""`python -m grafana` writes the dashboards; with `--check` it exits with 1 if any differs.

The same files are written twice: `exporter/dashboards` becomes part of the package, so that an
installed exporter has the dashboards of its version; `grafana/dashboards` is easy to find in the
repository.
"""

import sys
from pathlib import Path

from grafana.definitions import DASHBOARDS
from grafana.writer import to_json

OUTPUT_DIRS = (Path("exporter", "dashboards"), Path("grafana", "dashboards"))


def files() -> dict[Path, str]:
    """Return the text of each file by its path."""
    texts = {f"{board.uid}.json": to_json(board) for board in DASHBOARDS}
    return {directory / name: text for directory in OUTPUT_DIRS for name, text in texts.items()}


def main(arguments: list[str]) -> int:
    """Write the files or compare them; return the exit code."""
    expected = files()
    found = {path for directory in OUTPUT_DIRS for path in directory.glob("*.json")}
    if arguments == ["--check"]:
        same = all(path in found and path.read_text("utf-8") == expected[path] for path in expected)
        return int(not same or found != set(expected))
    for path in found - set(expected):
        path.unlink()
    for path, text in expected.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
