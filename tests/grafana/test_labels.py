"""What legends and columns are called comes from labels that the series have."""

import re

import pytest

from tests.expressions import meaning, without_variables
from tests.grafana.dashboard_files import NAMES, PANELS, Json

each_panel = pytest.mark.parametrize(("uid", "panel"), PANELS, ids=NAMES)


def labels(target: dict[str, Json]) -> frozenset[str]:
    return meaning(without_variables(target["expr"])).labels


def named(target: dict[str, Json]) -> set[str]:
    return set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))


def columns(panel: dict[str, Json]) -> set[str]:
    if panel["type"] != "table":
        return set()
    fields = panel["transformations"][-1]["options"]["renameByName"]
    return {field for field in fields if not field.startswith("Value")}


@each_panel
def test_each_name_is_a_label_that_the_result_has(uid: str, panel: dict[str, Json]) -> None:
    everything: set[str] = set()
    for target in panel.get("targets", []):
        assert named(target) <= labels(target)
        everything |= labels(target)
    assert columns(panel) <= everything


@each_panel
def test_no_two_series_have_one_name(uid: str, panel: dict[str, Json]) -> None:
    """But for the job, and where one daemon is chosen: there it is on one instance."""
    chosen = {"job"} if uid == "openvpn-fleet" else {"job", "instance", "daemon"}
    if panel["type"] in {"timeseries", "state-timeline", "bargauge"}:
        for target in panel["targets"]:
            assert labels(target) - named(target) - chosen == set()
