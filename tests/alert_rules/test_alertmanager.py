"""The example configuration of Alertmanager: routing and inhibition."""

import re
import shutil
import subprocess
from collections.abc import Iterable

import pytest
import yaml

from tests.alert_rules.shipped import PROMETHEUS, Alert, alerts
from tests.expressions import analyse

CONFIG = PROMETHEUS / "alertmanager.yml"
ALERTS = {alert.alert: alert for alert in alerts()}
INHIBITIONS = yaml.safe_load(CONFIG.read_text())["inhibit_rules"]
ROUTE = yaml.safe_load(CONFIG.read_text())["route"]

EXTERNAL = "cluster"
"""A label that Prometheus adds to its alerts."""


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("amtool")
    assert program
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 -- ours


def test_amtool_accepts_the_configuration() -> None:
    done = amtool("check-config", str(CONFIG))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.alert)
def test_each_alert_is_routed_by_its_severity(alert: Alert) -> None:
    labels = [f"alertname={alert.alert}", *(f"{name}={of}" for name, of in alert.labels.items())]
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels, "daemon=office")
    receiver = {"critical": "pager", "warning": "team", "info": "quiet"}[alert.labels["severity"]]
    assert done.stdout.split() == [receiver], done.stderr


def matched(matchers: Iterable[str]) -> set[str]:
    """Return the alerts that the matchers match by name."""
    names = set(ALERTS)
    for matcher in matchers:
        label, operator, value = re.fullmatch(r'(\w+) (=~|!=|=) "?([^"]+)"?', matcher).groups()  # type: ignore[union-attr]
        assert label == "alertname"
        pattern = value if operator == "=~" else re.escape(value)
        assert any(re.fullmatch(pattern, name) for name in ALERTS)
        names = {name for name in names if bool(re.fullmatch(pattern, name)) == (operator != "!=")}
    return names


def pairs() -> set[tuple[str, str]]:
    """Return the pairs of an alert and an alert that it inhibits."""
    return {
        (source, target)
        for rule in INHIBITIONS
        for source in matched(rule["source_matchers"])
        for target in matched(rule["target_matchers"])
    }


def test_each_name_in_an_inhibition_is_an_alert() -> None:
    for rule in INHIBITIONS:
        for matcher in [*rule["source_matchers"], *rule["target_matchers"]]:
            value = matcher.split('"')[1] if '"' in matcher else matcher.split()[-1]
            inner = re.fullmatch(r"OpenVPN\(([^)]*)\)(.*)", value)
            names = [f"OpenVPN{name}" for name in inner[1].split("|")] if inner else []
            names += (inner[2].strip("|") if inner else value).split("|")
            for name in filter(None, names):
                assert any(re.fullmatch(name, alert) for alert in ALERTS), name


def test_no_alert_inhibits_itself() -> None:
    assert [pair for pair in pairs() if pair[0] == pair[1]] == []


@pytest.mark.parametrize("rule", INHIBITIONS, ids=lambda rule: rule["source_matchers"][0])
def test_source_and_target_have_the_equal_labels(rule: dict[str, list[str]]) -> None:
    """Two missing labels count as equal, and would inhibit too much, but for an external one."""
    equal = set(rule["equal"]) - {EXTERNAL}
    for name in matched(rule["source_matchers"]):
        assert equal <= analyse(ALERTS[name].expr).labels
    for name in matched(rule["target_matchers"]):
        # What knows no daemon is not of one, but an exporter's own alert is of an instance.
        assert equal <= analyse(ALERTS[name].expr).labels | {"instance"}


def test_each_inhibition_and_group_is_within_one_cluster() -> None:
    assert all(EXTERNAL in rule["equal"] for rule in INHIBITIONS)
    assert EXTERNAL in ROUTE["group_by"]


def test_alerts_of_the_daemons_of_one_exporter_are_one_notification() -> None:
    assert set(ROUTE["group_by"]) == {"alertname", EXTERNAL, "job", "instance"}
    assert not [route for route in ROUTE["routes"] if "group_by" in route]


def test_causes_of_an_outage_are_not_inhibited_by_it() -> None:
    hidden = {target for source, target in pairs() if source == "OpenVPNDaemonDown"}
    telling = {name for name in ALERTS if name.startswith(("OpenVPNCert", "OpenVPNRevocation"))}
    assert not hidden & {"OpenVPNFatalError", "OpenVPNRestartLoop", *telling}


def test_daemon_that_is_down_inhibits_alerts_of_its_clients() -> None:
    hidden = {target for source, target in pairs() if source == "OpenVPNDaemonDown"}
    assert {
        "OpenVPNExpectedClientMissing",
        "OpenVPNClientsDropped",
        "OpenVPNNotConnected",
    } <= hidden


def test_exporter_that_is_down_inhibits_all_alerts_of_its_instance() -> None:
    hidden = {target for source, target in pairs() if source == "OpenVPNExporterDown"}
    assert hidden == set(ALERTS) - {"OpenVPNExporterDown"}


def test_critical_alert_is_not_inhibited_by_a_lower_severity() -> None:
    quiet = [
        pair
        for pair in pairs()
        if ALERTS[pair[1]].labels["severity"] == "critical"
        and ALERTS[pair[0]].labels["severity"] != "critical"
    ]
    assert quiet == []
