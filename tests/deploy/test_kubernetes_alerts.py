"""The alerts about the exporter, on the targets of the monitors: fired by promtool."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.alert_rules.shipped import RULES
from tests.deploy.prometheus_operator import job_of_target
from tests.deploy.test_kubernetes import Manifest, manifest

NAMESPACE = "vpn"


@pytest.fixture(scope="module")
def job() -> str:
    """The job of the sidecar of `deploy/kubernetes`."""
    pod = manifest("deployment.yaml")["spec"]["template"]
    found = job_of_target(in_namespace(manifest("podmonitor.yaml")), pod)
    assert found is not None
    return found


def in_namespace(monitor: Manifest) -> Manifest:
    return monitor | {"metadata": monitor["metadata"] | {"namespace": NAMESPACE}}


def firing(directory: Path, job: str, values: str) -> set[str]:
    """Return which alerts of `up` fire after an hour; a sample a minute."""
    series = [{"series": f'up{{job="{job}", instance="10.1.2.3:9176"}}', "values": values}]
    names = ("OpenVPNExporterAbsent", "OpenVPNExporterDown")
    return {name for name in names if not is_silent(directory, name, series)}


def is_silent(directory: Path, alert: str, series: list[dict[str, str]]) -> bool:
    check = {"eval_time": "1h", "alertname": alert, "exp_alerts": []}
    case = {"interval": "1m", "input_series": series, "alert_rule_test": [check]}
    path = directory / f"{alert}.test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [case]}))
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, check=False)  # noqa: S603, S607
    assert (
        done.returncode == 0 or f"alertname: {alert}" in done.stdout.decode() + done.stderr.decode()
    )
    return done.returncode == 0


def test_no_alert_fires_on_a_healthy_exporter(job: str, tmp_path: Path) -> None:
    assert firing(tmp_path, job, "1x60") == set()


def test_a_dead_exporter_raises_an_alert(job: str, tmp_path: Path) -> None:
    assert firing(tmp_path, job, "0x60") == {"OpenVPNExporterDown"}


def test_the_default_job_of_the_operator_would_raise_the_wrong_alert(tmp_path: Path) -> None:
    pod = manifest("deployment.yaml")["spec"]["template"]
    monitor = in_namespace(manifest("podmonitor.yaml"))
    default = job_of_target(monitor | {"spec": monitor["spec"] | {"jobLabel": ""}}, pod)
    assert default == "vpn/openvpn"
    for values in ("1x60", "0x60"):
        assert firing(tmp_path, default, values) == {"OpenVPNExporterAbsent"}
