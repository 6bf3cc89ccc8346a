"""Dashboards and rules use all metrics of the catalogue, and no others."""

import re
from pathlib import Path

import pytest

from exporter.metrics import catalogue
from tests.alert_rules.shipped import USAGE_LABELS, alerts
from tests.expressions import analyse, fill_in_variables, promtool_errors
from tests.grafana.dashboard_files import DASHBOARDS, PANELS, values

UNUSED: dict[str, str] = {
    "openvpn_exporter_log_messages_dropped_total": "to be asked where the log has a gap",
}
"""Metrics in neither dashboards nor rules, with the reason."""


def dashboard_queries() -> dict[str, str]:
    """Return each query of the dashboards by panel or annotation."""
    targets = {
        f"{uid}: {panel['title']} {number}": expression
        for uid, panel in PANELS
        for number, expression in enumerate(values(panel, "expr"))
    }
    annotations = {
        f"{uid}: annotation {number}": expression
        for uid, dashboard in DASHBOARDS.items()
        for number, expression in enumerate(values(dashboard["annotations"], "expr"))
    }
    return targets | annotations


QUERIES = {name: fill_in_variables(expression) for name, expression in dashboard_queries().items()}
ALERTS = {alert.alert: alert.expr for alert in alerts()}

VARIABLES = {
    f"{uid}: {variable['name']}": variable["query"]["query"]
    for uid, dashboard in DASHBOARDS.items()
    for variable in dashboard["templating"]["list"]
    if variable["type"] == "query"
}


def test_the_dashboards_are_found() -> None:
    assert len(QUERIES) > 100
    assert len(VARIABLES) > 10


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_of_a_dashboard_uses_existing_series(name: str) -> None:
    assert analyse(QUERIES[name], USAGE_LABELS).problems == ()


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_uses_existing_series(name: str) -> None:
    definition = fill_in_variables(VARIABLES[name])
    if result := re.fullmatch(r"query_result\((.+)\)", definition):
        assert analyse(result[1]).problems == ()
        return
    query = re.fullmatch(r"label_values\((.+), (\w+)\)", definition)
    assert query, "label_values(SERIES, LABEL) or query_result(EXPRESSION) is expected"
    several = re.fullmatch(r'\{__name__=~"([^"]+)", (.+)\}', query[1])
    series = (
        [f"{metric}{{{several[2]}}}" for metric in several[1].split("|")] if several else [query[1]]
    )
    for expression in series:
        parsed = analyse(expression, USAGE_LABELS)
        assert parsed.problems == ()
        assert query[2] in parsed.labels


def test_the_oldest_prometheus_parses_every_query(tmp_path: Path) -> None:
    assert promtool_errors(QUERIES, tmp_path) == ""


def test_every_metric_is_in_a_dashboard_or_a_rule_or_in_unused() -> None:
    used = {
        name for text in [*QUERIES.values(), *ALERTS.values()] for name in analyse(text).metrics
    }
    assert {metric.name for metric in catalogue.METRICS} - used == set(UNUSED)
