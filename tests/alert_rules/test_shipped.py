"""The rules in `prometheus/`: valid, and each tested to fire and to stay silent."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.alert_rules import THRESHOLDS, render
from tests.alert_rules.shipped import PROMETHEUS, ROOT, RULES, TESTS, Alert, alerts, cases
from tests.expressions import analyse, promtool_errors, run_promtool, start_promtool

ALERTS = alerts()
CASES = cases()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.alert)


def test_file_in_the_repository_is_the_output_of_the_command() -> None:
    assert RULES.read_text() == render()


def test_readme_has_the_number_of_alerts() -> None:
    assert f"has {len(ALERTS)} alerts" in (ROOT / "README.md").read_text()


def test_promtool_accepts_the_rules() -> None:
    done = run_promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def running() -> Iterator[dict[Path, subprocess.Popen[str]]]:
    """Start the tests of all files at once: each takes some seconds of one core."""
    with contextlib.ExitStack() as stack:
        yield {
            file: stack.enter_context(start_promtool("test", "rules", str(file))) for file in TESTS
        }


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_rules_pass_their_promtool_tests(
    file: Path, running: dict[Path, subprocess.Popen[str]]
) -> None:
    output, _ = running[file].communicate()
    assert running[file].returncode == 0, output


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
        assert analyse(alert.expr).problems == ()

    def test_uses_only_its_own_labels_in_its_texts(self, alert: Alert) -> None:
        texts = " ".join(alert.annotations.values())
        named = set(re.findall(r"\$labels\.(\w+)", texts))
        assert named <= analyse(alert.expr).labels

    def test_names_its_series_in_its_texts(self, alert: Alert) -> None:
        # absent() has the labels of its selector, which is the job.
        expected = {"job"} if alert.expr.startswith("absent") else {"job", "instance"}
        assert expected <= analyse(alert.expr).labels

    def test_queries_only_exposed_metrics_in_its_texts(self, alert: Alert) -> None:
        for query in re.findall(r'printf "([^"]*\{[^"]*)"', alert.annotations["description"]):
            assert analyse(query.replace("%q", '"a"')).problems == ()

    def test_has_a_summary_that_groups_and_a_description_with_values(self, alert: Alert) -> None:
        assert set(alert.annotations) == {"summary", "description", "runbook_url"}
        assert "$value" not in alert.annotations["summary"]
        assert "{{" in alert.annotations["description"]
        assert alert.annotations["summary"].endswith(".")

    def test_names_the_windows_that_it_uses(self, alert: Alert) -> None:
        for number, unit in re.findall(
            r"(\d+) (minute|hour|day)s?\b", alert.annotations["description"]
        ):
            assert f"[{number}{unit[0]}]" in alert.expr

    def test_has_one_of_three_severities(self, alert: Alert) -> None:
        assert set(alert.labels) == {"severity"}
        assert alert.labels["severity"] in {"critical", "warning", "info"}

    def test_has_a_section_in_the_runbook(self, alert: Alert) -> None:
        assert alert.annotations["runbook_url"] == f"docs/runbook.md#{alert.alert.lower()}"
        section = section_of(alert.alert)
        assert section.startswith(f"{alert.labels['severity']}. ")
        for part in ("Impact", "Check", "Silence"):
            assert f"- **{part}**: " in section


def section_of(alert: str) -> str:
    return RUNBOOK.partition(f"\n### {alert}\n\n")[2].partition("\n##")[0]


def test_every_section_of_the_runbook_has_an_alert() -> None:
    assert re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE) == [alert.alert for alert in ALERTS]


def test_queries_of_the_runbook_use_only_exposed_metrics() -> None:
    spans = re.findall(r"`([^`]+)`", RUNBOOK)
    queries = [
        span for span in spans if re.search(r"\b(?:openvpn|scrape_duration|process)_\w+", span)
    ]
    assert len(queries) > 30
    assert {query: analyse(query).problems for query in queries if analyse(query).problems} == {}


def test_every_threshold_in_the_runbook_exists() -> None:
    named = re.findall(r"[Tt]hreshold `([a-z-]+)`", RUNBOOK)
    assert set(named) == {threshold.name for threshold in THRESHOLDS}


def test_oldest_supported_prometheus_parses_every_expression(tmp_path: Path) -> None:
    assert promtool_errors({alert.alert: alert.expr for alert in ALERTS}, tmp_path) == ""


def test_server_without_clients_has_no_critical_alert() -> None:
    waking = [alert.expr for alert in ALERTS if alert.labels["severity"] == "critical"]
    assert not [expr for expr in waking if re.search(r"connected_clients\S* (==|<) ", expr)]
