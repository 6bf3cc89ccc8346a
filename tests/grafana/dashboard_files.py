"""The committed dashboards, taken apart for tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))

Json = Any
"""Whatever a dashboard is made of."""


def board(path: Path) -> dict[str, Json]:
    read: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
    return read


BOARDS = {path.stem: board(path) for path in FILES}


def panels(uid: str) -> list[dict[str, Json]]:
    """Return the panels of a dashboard, those in collapsed rows included, without the rows."""
    return [
        panel
        for top in BOARDS[uid]["panels"]
        for panel in (top["panels"] if top["type"] == "row" else [top])
    ]


PANELS = [(uid, panel) for uid in BOARDS for panel in panels(uid)]
NAMES = [f"{uid}: {panel['title']}" for uid, panel in PANELS]


def values(tree: Json, key: str) -> Iterator[Json]:
    """Give every value of a key, however deep it stands."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(tree, list):
        for item in tree:
            yield from values(item, key)
