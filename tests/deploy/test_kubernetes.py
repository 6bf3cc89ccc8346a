"""The manifests agree with each other and with the program."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.cli import options
from exporter.cli.main import SERVE, command_parser
from exporter.config import load
from exporter.management.endpoint import UnixEndpoint
from tests.deploy.dockerfile import ROOT, stages

HERE = ROOT / "deploy" / "kubernetes"
PORT = int(options.DEFAULT_ADDRESS.removeprefix(":"))
USER, GROUP = map(int, stages(ROOT / "Dockerfile")[-1].one("USER").split(":"))

Manifest = dict[str, Any]


def manifest(name: str) -> Manifest:
    text: Manifest = yaml.safe_load((HERE / name).read_text())
    return text


@pytest.fixture(scope="module")
def deployment() -> Manifest:
    return manifest("deployment.yaml")


@pytest.fixture(scope="module")
def pod(deployment: Manifest) -> Manifest:
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def exporter(pod: Manifest) -> Manifest:
    (container,) = (each for each in pod["containers"] if each["name"] == "exporter")
    return dict(container)


def mounts(container: Manifest) -> dict[str, str]:
    """Return the names of the volumes of a container, by their places in it."""
    return {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}


def test_the_kustomization_includes_every_file() -> None:
    kustomization = manifest("kustomization.yaml")
    (config,) = kustomization["configMapGenerator"]
    files = {*kustomization["resources"], *config["files"], "kustomization.yaml"}
    assert files == {path.name for path in HERE.iterdir()}


def test_all_selectors_select_the_pods(deployment: Manifest) -> None:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    monitor = manifest("podmonitor.yaml")
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_monitor_scrapes_the_port_and_path_of_the_metrics(exporter: Manifest) -> None:
    (endpoint,) = manifest("podmonitor.yaml")["spec"]["podMetricsEndpoints"]
    (port,) = exporter["ports"]
    assert (endpoint["port"], port["containerPort"]) == (port["name"], PORT)
    arguments = ["--config.file", "x"]
    assert endpoint["path"] == command_parser(SERVE).parse_args(arguments).telemetry_path


class TestExporter:
    def test_meets_the_restricted_standard(self, pod: Manifest, exporter: Manifest) -> None:
        context = exporter["securityContext"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert context["runAsNonRoot"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}

    def test_is_the_user_of_the_image(self, pod: Manifest, exporter: Manifest) -> None:
        context = exporter["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (USER, GROUP)
        assert pod["securityContext"]["fsGroup"] == GROUP

    def test_has_no_service_account_token(self, pod: Manifest) -> None:
        assert pod["automountServiceAccountToken"] is False

    def test_is_restarted_but_has_no_readiness_probe(self, exporter: Manifest) -> None:
        assert exporter["livenessProbe"]["httpGet"]["path"] == "/-/healthy"
        assert exporter["startupProbe"]["httpGet"]["path"] == "/-/ready"
        assert "readinessProbe" not in exporter

    def test_reads_the_mounted_configuration(self, exporter: Manifest) -> None:
        parsed = command_parser(SERVE).parse_args(exporter["args"])
        path = Path(parsed.config_file)
        assert path.name in manifest("kustomization.yaml")["configMapGenerator"][0]["files"]
        assert mounts(exporter)[str(path.parent)] == "config"


def test_the_config_map_is_the_generated_one(pod: Manifest) -> None:
    (volume,) = (each for each in pod["volumes"] if each["name"] == "config")
    (made,) = manifest("kustomization.yaml")["configMapGenerator"]
    assert volume["configMap"]["name"] == made["name"]


def test_openvpn_and_the_exporter_share_the_directory_of_the_socket(pod: Manifest) -> None:
    (daemon,) = load(HERE / "config.yaml").daemons
    assert isinstance(daemon.management, UnixEndpoint)
    directory = str(Path(daemon.management.path).parent)
    assert [mounts(container)[directory] for container in pod["containers"]] == ["management"] * 2
    match = re.search(
        r"^# +management (\S+) unix$", (HERE / "deployment.yaml").read_text(), re.MULTILINE
    )
    assert match is not None
    assert match[1] == daemon.management.path
