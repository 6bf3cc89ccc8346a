"""The alerts about the exporter see the sidecar: a healthy one is silent, a dead one is not."""

from pathlib import Path

import pytest

from tests.deploy.exporter_alerts import DEAD, HEALTHY, firing
from tests.deploy.manifests import Manifest, manifest
from tests.deploy.prometheus_operator import job_of_target

POD: Manifest = manifest("sidecar/container.yaml")["spec"]["template"]


@pytest.fixture
def monitor() -> Manifest:
    written = manifest("sidecar/podmonitor.yaml")
    return written | {"metadata": written["metadata"] | {"namespace": "vpn"}}


@pytest.fixture
def job(monitor: Manifest) -> str:
    found = job_of_target(monitor, POD)
    assert found is not None
    return found


def test_no_alert_fires_on_a_healthy_exporter(job: str, tmp_path: Path) -> None:
    assert firing(tmp_path, job, HEALTHY) == set()


def test_a_dead_exporter_raises_its_alert(job: str, tmp_path: Path) -> None:
    assert firing(tmp_path, job, DEAD) == {"OpenVPNExporterDown"}


@pytest.mark.parametrize("values", [HEALTHY, DEAD])
def test_the_default_job_of_the_operator_would_raise_the_wrong_alert(
    monitor: Manifest, values: str, tmp_path: Path
) -> None:
    del monitor["spec"]["jobLabel"]
    job = job_of_target(monitor, POD)
    assert job == "vpn/openvpn"
    assert firing(tmp_path, job, values) == {"OpenVPNExporterAbsent"}
