"""`python -m grafana` writes the dashboards; with `--check` it exits with 1 if any differs.

Twice the same files: `exporter/dashboards` goes into the package, so that an installed
exporter has those that fit it; `grafana/dashboards` is where people look for them in a repository.
"""

import sys
from pathlib import Path

from grafana.definitions import DASHBOARDS
from grafana.writer import to_json

OUTPUT_DIRS = (Path("exporter", "dashboards"), Path("grafana", "dashboards"))


def files() -> dict[Path, str]:
    """Return what is to be written where."""
    texts = {f"{board.uid}.json": to_json(board) for board in DASHBOARDS}
    return {directory / name: text for directory in OUTPUT_DIRS for name, text in texts.items()}


def main(arguments: list[str]) -> int:
    """Write the files, or compare them; return the exit code."""
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
