"""The example of an Alertmanager: who hears of what, and what hides what."""

import re
import shutil
import subprocess
from collections.abc import Iterable

import pytest
import yaml

from tests.alert_rules.shipped import PROMETHEUS, Alert, alerts
from tests.expressions import meaning

CONFIG = PROMETHEUS / "alertmanager.yml"
ALERTS = {alert.alert: alert for alert in alerts()}
INHIBITIONS = yaml.safe_load(CONFIG.read_text())["inhibit_rules"]


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("amtool")
    assert program
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 -- ours


def test_amtool_accepts_the_configuration() -> None:
    done = amtool("check-config", str(CONFIG))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.alert)
def test_each_alert_reaches_those_whom_its_severity_concerns(alert: Alert) -> None:
    labels = [f"alertname={alert.alert}", *(f"{name}={of}" for name, of in alert.labels.items())]
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels, "daemon=office")
    receiver = {"critical": "pager", "warning": "team", "info": "quiet"}[alert.labels["severity"]]
    assert done.stdout.split() == [receiver], done.stderr


def matched(matchers: Iterable[str]) -> set[str]:
    """Return the alerts that matchers of names mean."""
    names = set(ALERTS)
    for matcher in matchers:
        label, operator, value = re.fullmatch(r'(\w+) (=~|!=|=) "?([^"]+)"?', matcher).groups()  # type: ignore[union-attr]
        assert label == "alertname"
        pattern = value if operator == "=~" else re.escape(value)
        assert any(re.fullmatch(pattern, name) for name in ALERTS)
        names = {name for name in names if bool(re.fullmatch(pattern, name)) == (operator != "!=")}
    return names


def pairs() -> set[tuple[str, str]]:
    """Return which alert hides which."""
    return {
        (source, target)
        for rule in INHIBITIONS
        for source in matched(rule["source_matchers"])
        for target in matched(rule["target_matchers"])
    }


def test_each_name_in_an_alternative_is_an_alert() -> None:
    for rule in INHIBITIONS:
        for matcher in [*rule["source_matchers"], *rule["target_matchers"]]:
            value = matcher.split('"')[1] if '"' in matcher else matcher.split()[-1]
            inner = re.fullmatch(r"OpenVPN\(([^)]*)\)(.*)", value)
            names = [f"OpenVPN{name}" for name in inner[1].split("|")] if inner else []
            names += (inner[2].strip("|") if inner else value).split("|")
            for name in filter(None, names):
                assert any(re.fullmatch(name, alert) for alert in ALERTS), name


def test_no_alert_hides_itself() -> None:
    assert [pair for pair in pairs() if pair[0] == pair[1]] == []


@pytest.mark.parametrize("rule", INHIBITIONS, ids=lambda rule: rule["source_matchers"][0])
def test_both_sides_have_the_labels_that_must_be_equal(rule: dict[str, list[str]]) -> None:
    """Two labels that are missing count as equal, and would hide too much."""
    for name in matched(rule["source_matchers"]):
        assert set(rule["equal"]) <= meaning(ALERTS[name].expr).labels
    for name in matched(rule["target_matchers"]):
        # What knows no daemon is not of one, but an exporter's own alert is of an instance.
        assert set(rule["equal"]) <= meaning(ALERTS[name].expr).labels | {"instance"}


def test_what_explains_an_outage_is_never_hidden_by_it() -> None:
    hidden = {target for source, target in pairs() if source == "OpenVPNDaemonDown"}
    telling = {name for name in ALERTS if name.startswith(("OpenVPNCert", "OpenVPNRevocation"))}
    assert not hidden & {"OpenVPNFatalError", "OpenVPNRestartLoop", *telling}


def test_a_daemon_that_is_down_hides_what_its_clients_miss() -> None:
    hidden = {target for source, target in pairs() if source == "OpenVPNDaemonDown"}
    assert {
        "OpenVPNExpectedClientMissing",
        "OpenVPNClientsDropped",
        "OpenVPNNotConnected",
    } <= hidden


def test_an_exporter_that_is_down_hides_all_of_its_instance() -> None:
    hidden = {target for source, target in pairs() if source == "OpenVPNExporterDown"}
    assert hidden == set(ALERTS) - {"OpenVPNExporterDown"}


def test_nothing_that_wakes_a_person_is_hidden_by_what_does_not() -> None:
    quiet = [
        pair
        for pair in pairs()
        if ALERTS[pair[1]].labels["severity"] == "critical"
        and ALERTS[pair[0]].labels["severity"] != "critical"
    ]
    assert quiet == []
