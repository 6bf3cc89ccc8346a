"""Legends and columns use labels that the series have."""

import re

import pytest

from tests.alert_rules.shipped import USAGE_LABELS
from tests.expressions import analyse, fill_in_variables
from tests.grafana.dashboard_files import PANEL_IDS, PANELS, Json

each_panel = pytest.mark.parametrize(("uid", "panel"), PANELS, ids=PANEL_IDS)


def labels(target: dict[str, Json]) -> frozenset[str]:
    return analyse(fill_in_variables(target["expr"]), USAGE_LABELS).labels


def legend_labels(target: dict[str, Json]) -> set[str]:
    return set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))


def columns(panel: dict[str, Json]) -> set[str]:
    if panel["type"] != "table":
        return set()
    fields = panel["transformations"][-1]["options"]["renameByName"]
    return {field for field in fields if not field.startswith("Value")}


@each_panel
def test_legends_and_columns_are_labels_of_the_result(uid: str, panel: dict[str, Json]) -> None:
    available: set[str] = set()
    for target in panel.get("targets", []):
        assert legend_labels(target) <= labels(target)
        available |= labels(target)
    assert columns(panel) <= available


@each_panel
def test_series_have_different_legends(uid: str, panel: dict[str, Json]) -> None:
    """Except for the job, and for the daemon where only one is selected: it has one instance."""
    fixed = {"job"} if uid in {"openvpn-fleet", "openvpn-usage"} else {"job", "instance", "daemon"}
    if panel["type"] in {"timeseries", "state-timeline", "bargauge"}:
        for target in panel["targets"]:
            assert labels(target) - legend_labels(target) - fixed == set()
