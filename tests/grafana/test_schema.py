"""The newest Grafana has every property of the dashboards.

`scripts/grafana-schema` writes the names of the properties from Grafana's own declarations.
"""

import json
from collections.abc import Iterator

import pytest

from tests.grafana.dashboard_files import DASHBOARDS, PANEL_IDS, PANELS, ROOT, Json

SCHEMA = json.loads((ROOT / "tests" / "data" / "grafana" / "schema.json").read_text())

UNTIL_GRAFANA_12 = {"custom.hidden"}
"""Later versions use another property instead, which is set as well."""

each_panel = pytest.mark.parametrize(("uid", "panel"), PANELS, ids=PANEL_IDS)


def unknown(value: Json, names: Json, path: str) -> Iterator[str]:
    """Yield the paths of the properties that the schema does not have."""
    if isinstance(value, list):
        for item in value:
            yield from unknown(item, names, path)
    elif isinstance(value, dict) and names is not None:
        for name, inner in value.items():
            if name in names:
                yield from unknown(inner, names[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"


@each_panel
def test_options_of_a_panel_exist(uid: str, panel: dict[str, Json]) -> None:
    own = SCHEMA["panels"][panel["type"]]
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    assert [
        *unknown(panel, SCHEMA["models"]["Panel"], "panel"),
        *unknown(panel.get("options", {}), own["options"], "options"),
        *unknown(defaults, SCHEMA["models"]["FieldConfig"], "field"),
        *unknown(defaults.get("custom", {}), own["custom"] or {}, "custom"),
    ] == []


@each_panel
def test_properties_of_overrides_exist(uid: str, panel: dict[str, Json]) -> None:
    names = SCHEMA["models"]["FieldConfig"] | {"custom": SCHEMA["panels"][panel["type"]]["custom"]}
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        for one in override["properties"]:
            if one["id"] not in UNTIL_GRAFANA_12:
                first, _, rest = one["id"].partition(".")
                value = {first: {rest: one["value"]} if rest else one["value"]}
                assert list(unknown(value, names, "override")) == []


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_properties_of_dashboards_rows_and_links_exist(uid: str) -> None:
    models, dashboard = SCHEMA["models"], DASHBOARDS[uid]
    rows = [panel for panel in dashboard["panels"] if panel["type"] == "row"]
    without_panels = [{**row, "panels": []} for row in rows]
    assert [
        *unknown({**dashboard, "panels": []}, _shallow(models["Dashboard"]), "dashboard"),
        *unknown(without_panels, models["RowPanel"], "row"),
        *unknown(dashboard["links"], models["DashboardLink"], "link"),
    ] == []


def _shallow(names: Json) -> Json:
    """Return the names alone: variables and annotations have properties of their data source."""
    return dict.fromkeys(names)


def test_unknown_properties_are_found_at_any_depth() -> None:
    names = {"a": {"b": None}, "free": None}
    assert list(unknown({"a": [{"b": 1, "c": 2}], "d": 3, "free": {"x": 1}}, names, "")) == [
        ".a.c",
        ".d",
    ]
