"""The rules in `prometheus/`: valid, and each tested to fire and to stay silent."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from exporter.alert_rules import ALERTS_WITH_EACH_CERTIFICATE, THRESHOLDS, USAGE_THRESHOLDS, render
from tests.alert_rules.scrape_intervals import resampled, write_cases
from tests.alert_rules.shipped import (
    PROMETHEUS,
    ROOT,
    RULES,
    USAGE_LABELS,
    USAGE_RULES,
    USAGE_TESTS,
    Alert,
    alerts,
    cases,
)
from tests.expressions import analyse, promtool_errors, run_promtool, start_promtool

ALERTS = alerts()
USAGE_ALERTS = alerts(USAGE_RULES.read_text())
CASES = cases() + cases(USAGE_TESTS)
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
SERVED_RUNBOOK = (ROOT / "exporter" / "web" / "docs" / "pages" / "runbook.html").read_text()

INTERVALS = (60, 30, 15)
"""Seconds between two scrapes; the cases are written for the first."""

MAX_STEP = 200
"""Characters: some lines on a phone."""

each_alert = pytest.mark.parametrize("alert", ALERTS + USAGE_ALERTS, ids=lambda alert: alert.alert)


def test_file_in_the_repository_is_the_output_of_the_command() -> None:
    assert RULES.read_text() == render()


def test_readme_has_the_number_of_alerts() -> None:
    assert f"has {len(ALERTS)} alerts" in (ROOT / "README.md").read_text()


def test_promtool_accepts_the_rules() -> None:
    done = run_promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, subprocess.Popen[str]]]:
    """Start the tests of all scrape intervals at once: each takes some seconds of one core."""
    processes = {}
    for seconds in INTERVALS:
        files = write_cases(tmp_path_factory.mktemp(f"every-{seconds}-seconds"), seconds)
        processes[seconds] = start_promtool("test", "rules", *map(str, files))
    yield processes
    for process in processes.values():
        process.kill()
        process.wait()


def test_no_case_is_left_out(tmp_path: Path) -> None:
    files = write_cases(tmp_path, INTERVALS[0])
    written = [case for file in files for case in yaml.safe_load(file.read_text())["tests"]]
    assert sorted(case["name"] for case in written) == sorted(case.name for case in cases())


@pytest.mark.parametrize("seconds", INTERVALS)
def test_rules_pass_their_promtool_tests_at_each_scrape_interval(
    seconds: int, running: dict[int, subprocess.Popen[str]]
) -> None:
    output, _ = running[seconds].communicate()
    assert running[seconds].returncode == 0, output


@pytest.mark.parametrize(
    ("values", "finer"),
    [
        ("1x2 0", "1x11 0x3"),
        ("0+60x5", "0+15x20 300x2"),
        ("600-5x1", "600-1.25x4 595x2"),
        ("7 stale _x1", "7x3 stale _x2 _x7"),
    ],
)
def test_shorter_interval_repeats_values_and_counts_in_smaller_steps(
    values: str, finer: str
) -> None:
    assert resampled(values, 15) == finer
    assert resampled(values, 60) == values


def test_promtool_accepts_the_example_configuration() -> None:
    done = run_promtool("check", "config", str(PROMETHEUS / "prometheus.yml"))
    assert done.returncode == 0, done.stdout


def test_alert_names_are_unique() -> None:
    names = [alert.alert for alert in ALERTS]
    assert len(set(names)) == len(names)


@each_alert
class TestEachAlert:
    def test_fires_in_a_test_and_is_silent_in_a_near_miss(self, alert: Alert) -> None:
        checks = [
            (case.name, check)
            for case in CASES
            for check in case.alert_rule_test
            if check.alertname == alert.alert
        ]
        fires = {name for name, check in checks if check.exp_alerts}
        silent = {name for name, check in checks if not check.exp_alerts}
        assert any(name.startswith(f"{alert.alert} fires: ") for name in fires)
        assert any(name.startswith(f"{alert.alert} silent: ") for name in silent)
        assert all(" fires: " in name for name in fires)
        assert all(" silent: " in name for name in silent)

    def test_uses_only_exposed_metrics(self, alert: Alert) -> None:
        assert analyse(alert.expr, USAGE_LABELS).problems == ()

    def test_uses_only_its_own_labels_in_its_texts(self, alert: Alert) -> None:
        texts = " ".join(alert.annotations.values())
        named = set(re.findall(r"\$labels\.(\w+)", texts))
        assert named <= analyse(alert.expr, USAGE_LABELS).labels

    def test_names_its_series_in_its_texts(self, alert: Alert) -> None:
        # absent() has the labels of its selector, which is the job; a quota is for all servers.
        is_of_job = alert.expr.startswith("absent") or alert in USAGE_ALERTS
        expected = {"job"} if is_of_job else {"job", "instance"}
        assert expected <= analyse(alert.expr, USAGE_LABELS).labels

    def test_queries_only_exposed_metrics_in_its_texts(self, alert: Alert) -> None:
        for query in re.findall(r'printf "([^"]*\{[^"]*)"', alert.annotations["description"]):
            assert analyse(query.replace("%q", '"a"')).problems == ()

    def test_has_a_summary_that_groups_and_a_description_with_values(self, alert: Alert) -> None:
        assert set(alert.annotations) == {"summary", "description", "steps"}
        assert "$value" not in alert.annotations["summary"]
        assert "{{" in alert.annotations["description"]
        assert alert.annotations["summary"].endswith(".")

    def test_has_three_short_first_steps(self, alert: Alert) -> None:
        steps = alert.annotations["steps"].split("\n")
        assert [step.partition(". ")[0] for step in steps] == ["1", "2", "3"]
        assert all(len(step) <= MAX_STEP for step in steps)
        assert "{{" not in re.sub(r"\{\{ \$labels\.\w+ \}\}", "", alert.annotations["steps"])

    def test_names_the_windows_that_it_uses(self, alert: Alert) -> None:
        for number, unit in re.findall(
            r"(\d+) (minute|hour|day)s?\b", alert.annotations["description"]
        ):
            assert re.search(rf"\[{number}{unit[0]}[]:]", alert.expr)

    def test_has_one_of_three_severities(self, alert: Alert) -> None:
        assert set(alert.labels) == {"severity"}
        assert alert.labels["severity"] in {"critical", "warning", "info"}

    def test_has_a_section_in_the_runbook(self, alert: Alert) -> None:
        section = section_of(alert.alert)
        assert section.startswith(f"{alert.labels['severity']}. ")
        for part in ("Impact", "Check", "Silence"):
            assert f"- **{part}**: " in section
        assert ("- **Why now**: " in section) == (alert.labels["severity"] == "critical")

    def test_has_an_anchor_in_the_runbook_that_the_exporter_serves(self, alert: Alert) -> None:
        assert f'id="{alert.alert.lower()}"' in SERVED_RUNBOOK


def section_of(alert: str) -> str:
    return RUNBOOK.partition(f"\n### {alert}\n\n")[2].partition("\n##")[0]


def test_every_section_of_the_runbook_has_an_alert() -> None:
    sections = re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE)
    possible = alerts(render(ALERTS_WITH_EACH_CERTIFICATE)) + USAGE_ALERTS
    assert sorted(sections) == sorted(alert.alert for alert in possible)


def test_queries_of_the_runbook_use_only_exposed_metrics() -> None:
    spans = re.findall(r"`([^`]+)`", RUNBOOK)
    queries = [
        span for span in spans if re.search(r"\b(?:openvpn|scrape_duration|process)_\w+", span)
    ]
    assert len(queries) > 30
    assert {
        query: found for query in queries if (found := analyse(query, USAGE_LABELS).problems)
    } == {}


def test_every_threshold_in_the_runbook_exists() -> None:
    named = re.findall(r"[Tt]hreshold `([a-z-]+)`", RUNBOOK)
    assert set(named) == {threshold.name for threshold in THRESHOLDS + USAGE_THRESHOLDS}


def test_oldest_supported_prometheus_parses_every_expression(tmp_path: Path) -> None:
    assert promtool_errors({alert.alert: alert.expr for alert in ALERTS}, tmp_path) == ""


def test_server_without_clients_has_no_critical_alert() -> None:
    waking = [alert.expr for alert in ALERTS if alert.labels["severity"] == "critical"]
    assert not [expr for expr in waking if re.search(r"connected_clients\S* (==|<) ", expr)]
