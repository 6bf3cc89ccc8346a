"""The committed dashboards and their panels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))

Json = Any
"""Any part of a dashboard."""


def load(path: Path) -> dict[str, Json]:
    content: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
    return content


DASHBOARDS = {path.stem: load(path) for path in FILES}


def panels(uid: str) -> list[dict[str, Json]]:
    """Return the panels of a dashboard, including those in collapsed rows, without the rows."""
    return [
        panel
        for top in DASHBOARDS[uid]["panels"]
        for panel in (top["panels"] if top["type"] == "row" else [top])
    ]


PANELS = [(uid, panel) for uid in DASHBOARDS for panel in panels(uid)]
PANEL_IDS = [f"{uid}: {panel['title']}" for uid, panel in PANELS]


def values(tree: Json, key: str) -> Iterator[Json]:
    """Yield every value of a key at any depth."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(tree, list):
        for item in tree:
            yield from values(item, key)
