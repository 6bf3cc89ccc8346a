"""The alert for each name whose certificate expires, which is not in the shipped rules."""

from pathlib import Path

import yaml

from exporter.alert_rules import ALERTS_WITH_EACH_CERTIFICATE, render
from tests.alert_rules.shipped import alerts
from tests.expressions import analyse, run_promtool

NAME = "OpenVPNClientCertificateExpiring"
DAY = 86_400


def expiry(name: str, days: float, daemon: str = "office") -> dict[str, str]:
    labels = f'job="openvpn", instance="vpn:9176", daemon="{daemon}", common_name="{name}"'
    metric = "openvpn_issued_certificate_not_after_timestamp_seconds"
    return {"series": f"{metric}{{{labels}}}", "values": f"{days * DAY:.0f}x80"}


def firing(tmp_path: Path, *series: dict[str, str], names: dict[str, str]) -> str:
    """Return what promtool reports if these names, and no others, fire with these texts."""
    (tmp_path / "rules.yml").write_text(render(ALERTS_WITH_EACH_CERTIFICATE))
    expected = [
        {
            "exp_labels": {
                "severity": "warning",
                "job": "openvpn",
                "instance": "vpn:9176",
                "common_name": name,
            },
            "exp_annotations": {
                "summary": f"A client certificate of {name} expires soon, or has expired.",
                "description": f"The last valid certificate of {name} (by vpn:9176) {text}",
                "steps": next(
                    alert.annotations["steps"]
                    for alert in alerts(render(ALERTS_WITH_EACH_CERTIFICATE))
                    if alert.alert == NAME
                ),
            },
        }
        for name, text in names.items()
    ]
    case = {
        "interval": "1m",
        "input_series": [*series],
        "alert_rule_test": [{"eval_time": "70m", "alertname": NAME, "exp_alerts": expected}],
    }
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(tests))
    done = run_promtool("test", "rules", str(tmp_path / "test.yml"))
    return "" if done.returncode == 0 else done.stdout


def test_each_name_has_an_alert_once_for_all_daemons(tmp_path: Path) -> None:
    series = (
        expiry("alice", 13),
        expiry("alice", 13, daemon="lab"),
        expiry("bob", -3),
        expiry("carol", 14.2),
    )
    names = {"alice": "expires in 12d 22h 50m 0s.", "bob": "has expired."}
    assert firing(tmp_path, *series, names=names) == ""
    assert firing(tmp_path, *series, names={}) != ""


def test_threshold_and_external_labels_are_those_of_the_summary() -> None:
    text = render(
        ALERTS_WITH_EACH_CERTIFICATE,
        thresholds={"client-certificate-soon": "7d"},
        external_labels=["cluster"],
        runbook="http://vpn/runbook",
    )
    (alert,) = (alert for alert in alerts(text) if alert.alert == NAME)
    assert "< 7 * 86400" in alert.expr
    assert "by (cluster, job," in alert.expr
    assert analyse(alert.expr.replace("cluster, ", "")).problems == ()
    assert alert.annotations["runbook_url"].endswith("#openvpnclientcertificateexpiring")


def test_other_rules_are_the_shipped_ones() -> None:
    assert render(ALERTS_WITH_EACH_CERTIFICATE).startswith(render())
