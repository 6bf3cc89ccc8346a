"""The rules in `prometheus/`: right in themselves, and each shown to fire and to be silent."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.alert_rules import THRESHOLDS, render
from tests.alert_rules.shipped import PROMETHEUS, ROOT, RULES, TESTS, Alert, alerts, cases
from tests.expressions import meaning, promtool, promtool_started, refused_by_prometheus

ALERTS = alerts()
CASES = cases()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.alert)


def test_the_file_in_the_repository_is_what_the_command_prints() -> None:
    assert RULES.read_text() == render()


def test_the_readme_counts_them() -> None:
    assert f"has {len(ALERTS)} alerts" in (ROOT / "README.md").read_text()


def test_promtool_accepts_the_rules() -> None:
    done = promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def running() -> Iterator[dict[Path, subprocess.Popen[str]]]:
    """Start the tests of all files at once: each takes some seconds of one core."""
    with contextlib.ExitStack() as stack:
        yield {
            file: stack.enter_context(promtool_started("test", "rules", str(file)))
            for file in TESTS
        }


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_the_rules_do_what_their_tests_say(
    file: Path, running: dict[Path, subprocess.Popen[str]]
) -> None:
    said, _ = running[file].communicate()
    assert running[file].returncode == 0, said


def test_promtool_accepts_the_example_of_a_prometheus() -> None:
    done = promtool("check", "config", str(PROMETHEUS / "prometheus.yml"))
    assert done.returncode == 0, done.stdout


def test_no_name_is_given_twice() -> None:
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

    def test_speaks_only_of_what_is_served(self, alert: Alert) -> None:
        assert meaning(alert.expr).problems == ()

    def test_names_only_labels_in_its_texts_that_it_has(self, alert: Alert) -> None:
        texts = " ".join(alert.annotations.values())
        named = set(re.findall(r"\$labels\.(\w+)", texts))
        assert named <= meaning(alert.expr).labels

    def test_says_which_series_it_is_about(self, alert: Alert) -> None:
        # absent() has the labels of its selector, which is the job.
        expected = {"job"} if alert.expr.startswith("absent") else {"job", "instance"}
        assert expected <= meaning(alert.expr).labels

    def test_asks_in_its_texts_only_for_what_is_served(self, alert: Alert) -> None:
        for query in re.findall(r'printf "([^"]*\{[^"]*)"', alert.annotations["description"]):
            assert meaning(query.replace("%q", '"a"')).problems == ()

    def test_has_a_summary_that_groups_and_a_description_with_values(self, alert: Alert) -> None:
        assert set(alert.annotations) == {"summary", "description", "runbook_url"}
        assert "$value" not in alert.annotations["summary"]
        assert "{{" in alert.annotations["description"]
        assert alert.annotations["summary"].endswith(".")

    def test_counts_over_the_times_that_it_names(self, alert: Alert) -> None:
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


def test_the_runbook_has_no_section_without_an_alert() -> None:
    assert re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE) == [alert.alert for alert in ALERTS]


def test_the_runbook_asks_only_for_what_is_served() -> None:
    spans = re.findall(r"`([^`]+)`", RUNBOOK)
    queries = [
        span for span in spans if re.search(r"\b(?:openvpn|scrape_duration|process)_\w+", span)
    ]
    assert len(queries) > 30
    assert {query: meaning(query).problems for query in queries if meaning(query).problems} == {}


def test_every_threshold_that_the_runbook_names_exists() -> None:
    named = re.findall(r"[Tt]hreshold `([a-z-]+)`", RUNBOOK)
    assert set(named) == {threshold.name for threshold in THRESHOLDS}


def test_the_oldest_prometheus_understands_every_expression(tmp_path: Path) -> None:
    assert refused_by_prometheus({alert.alert: alert.expr for alert in ALERTS}, tmp_path) == ""


def test_nobody_is_woken_for_a_server_without_clients() -> None:
    waking = [alert.expr for alert in ALERTS if alert.labels["severity"] == "critical"]
    assert not [expr for expr in waking if re.search(r"connected_clients\S* (==|<) ", expr)]
