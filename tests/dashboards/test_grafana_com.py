"""A dashboard for grafana.com is the same one, with an input for the data source."""

import json
import re

import pytest

from exporter.dashboards.grafana_com import for_grafana_com
from tests.grafana.dashboard_files import DASHBOARDS, FILES, Json, values

ADDED = {"__inputs", "__requires", "id"}

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FILES}
each_dashboard = pytest.mark.parametrize("uid", TEXTS)


@each_dashboard
def test_only_the_data_source_variable_differs(uid: str) -> None:
    exported = json.loads(for_grafana_com(TEXTS[uid]))
    original = {name: value for name, value in exported.items() if name not in ADDED}
    assert exported["id"] is None
    assert original["templating"]["list"][0].pop("current") == {
        "text": "${DS_PROMETHEUS}",
        "value": "${DS_PROMETHEUS}",
    }
    assert original == DASHBOARDS[uid]


@each_dashboard
def test_an_import_fills_in_the_chosen_data_source(uid: str) -> None:
    exported = json.loads(for_grafana_com(TEXTS[uid]))
    (data_source,) = exported["__inputs"]
    imported = json.loads(import_with(exported, {data_source["name"]: "my-prometheus"}))
    assert imported["templating"]["list"][0]["current"]["value"] == "my-prometheus"
    assert "DS_PROMETHEUS" not in json.dumps({**imported, "__inputs": []})
    assert '"${datasource}"' in json.dumps(imported)


def import_with(dashboard: Json, inputs: dict[str, str]) -> str:
    """Replace the inputs as the import dialog does: in every text, and no other variables."""
    return re.sub(
        r"\$\{(.+?)\}", lambda found: inputs.get(found[1], found[0]), json.dumps(dashboard)
    )


@each_dashboard
def test_requirements_are_the_types_of_its_panels(uid: str) -> None:
    required = json.loads(for_grafana_com(TEXTS[uid]))["__requires"]
    panels = {one["id"] for one in required if one["type"] == "panel"}
    kinds = {"timeseries", "table", "stat", "bargauge", "state-timeline", "text"}
    assert panels == set(values(DASHBOARDS[uid]["panels"], "type")) & kinds
    assert ("grafana", "10.4.0") in {(one["id"], one["version"]) for one in required}
    assert ("prometheus", "1.0.0") in {(one["id"], one["version"]) for one in required}
