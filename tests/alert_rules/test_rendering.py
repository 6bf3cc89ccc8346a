import re
from pathlib import Path

import promql_parser
import pytest
import yaml

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
    "availability": "0.61",
    "expected-client-missing": "21m",
    "expected-client-reconnects": "44",
    "idle-client": "45",
    "clients-near-limit": "0.46",
    "clients-dropped": "0.47",
    "pending-clients": "48",
    "auth-failures": "49",
    "auth-failures-slow": "53",
    "sessions-replaced": "54",
    "tls-failures": "51",
    "certificate-soon": "52d",
    "certificate-urgent": "36h",
    "client-certificate-soon": "60d",
    "revoked-client-connected": "22m",
    "crl-expiring": "2w",
}

RENDERED = {
    "poll-slow": "> 0.7",
    "daemon-down": "15m",
    "not-connected": "16m",
    "expected-client-missing": "18m",
    "availability": "< 0.61",
    "status-stale": "> 3601",
    "reconnects": "> 41.5",
    "idle-client": "< 45",
    "clients-near-limit": "> 0.46",
    "clients-dropped": "< 0.47 *",
    "certificate-soon": "52 * 86400",
    "certificate-urgent": "129600",
    "client-certificate-soon": 'within="60d"',
    "revoked-client-connected": "19m",
    "crl-expiring": "14 * 86400",
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
        ("exporter-down", "0s", "greater than zero"),
        ("daemon-down", "3m", "threshold daemon-down: it must be more than 3m"),
        ("reconnects", "3.5", "'3.5' is not a number of events"),
        ("reconnects", "-1", "'-1' is not a number of events"),
        ("idle-client", "many", "'many' is not a number of bytes"),
        ("clients-near-limit", "85", "'85' is not a ratio"),
        ("clients-near-limit", "1", "'1' is not a ratio"),
        ("clients-near-limit", "0", "'0' is not a ratio"),
        ("clients-near-limit", "nan", "'nan' is not a ratio"),
        ("client-certificate-soon", "15d", "'15d' is not counted: write one of 1d, 7d"),
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


def test_alerts_have_no_link_without_a_runbook() -> None:
    assert "runbook_url" not in render()
    assert render(runbook="https://wiki") != render()


def test_runbook_may_have_any_url() -> None:
    found = alerts(render(runbook="https://wiki.example.org/vpn/runbook.html?v=1"))
    assert len(found) == len(alerts())
    for alert in found:
        url = alert.annotations["runbook_url"]
        assert url == f"https://wiki.example.org/vpn/runbook.html?v=1#{alert.alert.lower()}"


@pytest.mark.parametrize(
    "runbook", ["", "docs/runbook.md", "https://two words", "http://a#b", "http://a: b", "{{ x }}"]
)
def test_invalid_runbook_url_is_refused(runbook: str) -> None:
    with pytest.raises(ValueError, match="is no URL"):
        render(runbook=runbook)


def test_external_labels_are_in_each_match_and_each_query(tmp_path: Path) -> None:
    text = render(external_labels=["cluster", "region"])
    found = alerts(text)
    modified = [labels for alert in found for labels in kept_labels(alert.expr)]
    assert len(modified) > 20
    assert [labels for labels in modified if not labels >= {"cluster", "region"}] == []
    queries = [
        query
        for alert in found
        for query in re.findall(
            r'printf ("[^"]*\{[^"]*" .*?) \| query', " ".join(alert.annotations.values())
        )
    ]
    assert len(queries) > 5
    for query in queries:
        assert "{cluster=%q,region=%q,job=%q," in query
        assert '" $labels.cluster $labels.region $labels.job ' in query
    file = tmp_path / "openvpn.rules.yml"
    file.write_text(text)
    assert run_promtool("check", "rules", str(file)).returncode == 0


def kept_labels(expression: str) -> list[set[str]]:
    """Return the labels of each `on` and `by`."""
    return [
        set(re.split(r", *", labels))
        for labels in re.findall(
            r"\b(?:on|by) \(([^)]*)\)", promql_parser.parse(expression).prettify()
        )
    ]


@pytest.mark.parametrize(
    "labels", [["a-b"], [""], ["1a"], ["job"], ["daemon"], ["host"], ["cluster", "cluster"]]
)
def test_invalid_external_label_is_refused(labels: list[str]) -> None:
    with pytest.raises(ValueError, match="the external label"):
        render(external_labels=labels)


def test_one_cluster_does_not_hush_another(tmp_path: Path) -> None:
    """Two clusters have the same job, instance and daemon: busy in one, down in the other."""
    (tmp_path / "rules.yml").write_text(render(external_labels=["cluster"]))
    names = 'job="openvpn", instance="vpn:9176", daemon="office"'
    series = {
        'up{job="openvpn", instance="vpn:9176", cluster="a"}': "1x15",
        f'openvpn_up{{cluster="a", {names}}}': "0x15",
        f'openvpn_down_reason{{cluster="a", {names}, reason="refused"}}': "1x15",
        f'openvpn_up{{cluster="b", {names}}}': "0x15",
        f'openvpn_down_reason{{cluster="b", {names}, reason="busy"}}': "1x15",
    }
    firing = 'alertname="OpenVPNDaemonDown", alertstate="firing", severity="critical"'
    alert = f'ALERTS{{cluster="a", {names}, {firing}}}'
    case = {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'ALERTS{alertstate="firing", severity="critical"}',
                "eval_time": "12m",
                "exp_samples": [{"labels": alert, "value": 1}],
            }
        ],
    }
    file = tmp_path / "clusters.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [case]}))
    done = run_promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout
