"""`python -m grafana` writes the dashboards; with `--check` it exits with 1 if any differs.

Twice the same files: `exporter/dashboards` goes into the package, so that an installed
exporter has those that fit it; `grafana/dashboards` is where people look for them in a repository.
"""

import sys
from pathlib import Path

from grafana.boards import BOARDS
from grafana.writing import written

PLACES = (Path("exporter", "dashboards"), Path("grafana", "dashboards"))


def files() -> dict[Path, str]:
    """Return what is to be written where."""
    texts = {f"{board.uid}.json": written(board) for board in BOARDS}
    return {place / name: text for place in PLACES for name, text in texts.items()}


def main(arguments: list[str]) -> int:
    """Write the files, or compare them; return the exit code."""
    wanted = files()
    found = {path for place in PLACES for path in place.glob("*.json")}
    if arguments == ["--check"]:
        same = all(path in found and path.read_text("utf-8") == wanted[path] for path in wanted)
        return int(not same or found != set(wanted))
    for path in found - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
