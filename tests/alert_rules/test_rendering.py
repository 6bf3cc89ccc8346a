from pathlib import Path

import pytest

from exporter.alert_rules import THRESHOLDS, Threshold, render
from tests.alert_rules.shipped import Alert, alerts
from tests.expressions import analyse, run_promtool

DIFFERENT = {
    "exporter-down": "17m",
    "poll-slow": "700ms",
    "daemon-down": "18m",
    "not-connected": "19m",
    "status-stale": "1h1s",
    "reconnects": "41",
    "restarts": "42",
    "packet-errors": "43",
    "expected-client-missing": "21m",
    "expected-client-reconnects": "44",
    "idle-client": "45",
    "clients-near-limit": "0.46",
    "clients-dropped": "0.47",
    "pending-clients": "48",
    "auth-failures": "49",
    "tls-failures": "51",
    "certificate-soon": "52d",
    "certificate-urgent": "36h",
    "crl-expiring": "2w",
}

RENDERED = {
    "poll-slow": "> 0.7",
    "status-stale": "> 3601",
    "reconnects": "> 41.5",
    "idle-client": "< 45",
    "clients-near-limit": "> 0.46",
    "clients-dropped": "< 0.47 *",
    "certificate-soon": "< 52 * 86400",
    "certificate-urgent": "129600",
    "crl-expiring": "< 14 * 86400",
}


def rule(text: str, name: str) -> Alert:
    return next(alert for alert in alerts(text) if alert.alert == name)


def test_every_threshold_is_tested() -> None:
    assert set(DIFFERENT) == {threshold.name for threshold in THRESHOLDS}


@pytest.mark.parametrize("threshold", THRESHOLDS, ids=lambda threshold: threshold.name)
def test_threshold_changes_its_alerts_only(threshold: Threshold) -> None:
    text = render(thresholds={threshold.name: DIFFERENT[threshold.name]})
    changed = [
        alert for alert, before in zip(alerts(text), alerts(), strict=True) if alert != before
    ]
    assert 1 <= len(changed) <= 2
    assert [analyse(alert.expr).problems for alert in changed] == [()] * len(changed)
    rendered = RENDERED.get(threshold.name, DIFFERENT[threshold.name])
    assert all(rendered in alert.expr or rendered == alert.wait for alert in changed)


def test_explicit_defaults_change_nothing() -> None:
    defaults = {threshold.name: threshold.default for threshold in THRESHOLDS}
    assert render(thresholds=defaults) == render()


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("daemon-down", "soon", "threshold daemon-down: 'soon' is not a duration"),
        ("daemon-down", "5", "has no unit"),
        ("daemon-down", "0s", "greater than zero"),
        ("reconnects", "3.5", "'3.5' is not a number of events"),
        ("reconnects", "-1", "'-1' is not a number of events"),
        ("idle-client", "many", "'many' is not a number of bytes"),
        ("clients-near-limit", "85", "'85' is not a ratio"),
        ("clients-near-limit", "1", "'1' is not a ratio"),
        ("clients-near-limit", "0", "'0' is not a ratio"),
        ("clients-near-limit", "nan", "'nan' is not a ratio"),
        ("clients-near-limit", "most", "'most' is not a ratio"),
        ("daemon_down", "5m", "'daemon_down' is no threshold: use one of exporter-down, poll-slow"),
    ],
)
def test_invalid_threshold_is_refused(name: str, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        render(thresholds={name: text})


@pytest.mark.parametrize("job", ["vpn", 'a "b" c', "a\\d", "a: #b", "vpn {{ x }}", "a\nb"])
def test_job_may_have_any_name(job: str, tmp_path: Path) -> None:
    text = render(job=job)
    down = rule(text, "OpenVPNExporterDown")
    assert analyse(down.expr).problems == ()
    quoted = job.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert down.expr.strip() == f'up{{job="{quoted}"}} == 0'
    file = tmp_path / "openvpn.rules.yml"
    file.write_text(text)
    assert run_promtool("check", "rules", str(file)).returncode == 0


def test_runbook_may_have_any_url() -> None:
    for alert in alerts(render(runbook="https://wiki.example.org/vpn/runbook.html?v=1")):
        url = alert.annotations["runbook_url"]
        assert url == f"https://wiki.example.org/vpn/runbook.html?v=1#{alert.alert.lower()}"


@pytest.mark.parametrize("runbook", ["", "two words", "a#b", "a: b", "{{ x }}"])
def test_invalid_runbook_url_is_refused(runbook: str) -> None:
    with pytest.raises(ValueError, match="is no URL without a fragment"):
        render(runbook=runbook)
