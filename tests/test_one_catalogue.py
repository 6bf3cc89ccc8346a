"""Dashboards and rules speak of what the catalogue has, and of all of it."""

import re
from pathlib import Path

import pytest

from exporter.metrics import catalogue
from tests.alert_rules.shipped import alerts
from tests.expressions import meaning, refused_by_prometheus, without_variables
from tests.grafana.dashboard_files import DASHBOARDS, PANELS, values

UNUSED: dict[str, str] = {}
"""Metrics in neither dashboards nor rules, with the reason."""


def shown() -> dict[str, str]:
    """Return each expression of the dashboards by its place, annotations included."""
    targets = {
        f"{uid}: {panel['title']} {number}": expression
        for uid, panel in PANELS
        for number, expression in enumerate(values(panel, "expr"))
    }
    annotations = {
        f"{uid}: annotation {number}": expression
        for uid, board in DASHBOARDS.items()
        for number, expression in enumerate(values(board["annotations"], "expr"))
    }
    return targets | annotations


SHOWN = {place: without_variables(expression) for place, expression in shown().items()}
ALERTED = {alert.alert: alert.expr for alert in alerts()}

VARIABLES = {
    f"{uid}: {variable['name']}": variable["query"]["query"]
    for uid, board in DASHBOARDS.items()
    for variable in board["templating"]["list"]
    if variable["type"] == "query"
}


def test_the_dashboards_were_found() -> None:
    assert len(SHOWN) > 100
    assert len(VARIABLES) > 10


@pytest.mark.parametrize("place", SHOWN)
def test_each_query_of_a_dashboard_asks_for_what_is_served(place: str) -> None:
    assert meaning(SHOWN[place]).problems == ()


@pytest.mark.parametrize("place", VARIABLES)
def test_each_variable_takes_its_values_from_what_is_served(place: str) -> None:
    query = re.fullmatch(r"label_values\((.+), (\w+)\)", without_variables(VARIABLES[place]))
    assert query, "label_values(SERIES, LABEL) is expected"
    several = re.fullmatch(r'\{__name__=~"([^"]+)", (.+)\}', query[1])
    series = (
        [f"{name}{{{several[2]}}}" for name in several[1].split("|")] if several else [query[1]]
    )
    for expression in series:
        read = meaning(expression)
        assert read.problems == ()
        assert query[2] in read.labels


def test_the_oldest_prometheus_understands_every_query(tmp_path: Path) -> None:
    assert refused_by_prometheus(SHOWN, tmp_path) == ""


def test_every_metric_is_in_a_dashboard_or_a_rule_or_on_the_list() -> None:
    used = {name for text in [*SHOWN.values(), *ALERTED.values()] for name in meaning(text).metrics}
    assert {metric.name for metric in catalogue.METRICS} - used == set(UNUSED)
