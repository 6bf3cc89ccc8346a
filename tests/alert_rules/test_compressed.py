from pathlib import Path

from exporter.config import durations
from tests.alert_rules.compressed import compressed
from tests.alert_rules.shipped import alerts
from tests.expressions import analyse, run_promtool

SLOW = {alert.alert: alert for alert in alerts()}
QUICK = {alert.alert: alert for alert in alerts(compressed(60))}


def test_prometheus_accepts_compressed_rules(tmp_path: Path) -> None:
    file = tmp_path / "openvpn.rules.yml"
    file.write_text(compressed(120))
    done = run_promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout


def test_compressed_rules_have_the_same_alerts() -> None:
    assert list(QUICK) == list(SLOW)
    assert all(analyse(alert.expr).problems == () for alert in QUICK.values())


def test_wait_times_are_divided_by_the_speed() -> None:
    for name, alert in QUICK.items():
        assert durations.parse_duration(alert.wait) * 60 == durations.parse_duration(
            SLOW[name].wait
        )


def test_subqueries_and_offsets_are_divided_by_the_speed() -> None:
    assert "[2h48m:2m]" in QUICK["OpenVPNServerOnHold"].expr
    assert "[1m] offset 2h47m30s" in QUICK["OpenVPNClientsDropped"].expr
    assert "interval: 1s" in compressed(60)


def test_windows_and_limits_in_seconds_are_divided_by_the_speed() -> None:
    expr = 'time() - max_over_time(openvpn_status_update_time_seconds{daemon!=""}[5s]) > 5'
    assert QUICK["OpenVPNStatusStale"].expr.strip() == expr
    assert "10, 2880)" in QUICK["OpenVPNCertificateExpiring"].expr
    assert "[3s]" in QUICK["OpenVPNDaemonDown"].expr


def test_numbers_of_events_are_unchanged() -> None:
    assert "[30s]" in QUICK["OpenVPNReconnecting"].expr
    assert "> 3.5" in QUICK["OpenVPNReconnecting"].expr
    assert "[30s]" in QUICK["OpenVPNReconnecting"].annotations["description"]


def test_texts_have_the_original_thresholds() -> None:
    quick = {
        alert.alert: alert for alert in alerts(compressed(60, thresholds={"daemon-down": "10m"}))
    }
    assert quick["OpenVPNDaemonDown"].wait == "7s"
