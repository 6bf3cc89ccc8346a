"""The component and the example agree with each other and with the program.

`make test-install` builds them with kubectl and validates what it prints.
"""

import re
from pathlib import Path

import pytest
import yaml

from exporter.alert_rules import ALERTS, USAGE, render
from exporter.cli import options
from exporter.cli.kubernetes import prometheus_rule
from exporter.cli.main import SERVE, command_parser
from exporter.config.loader import load
from exporter.management.endpoint import UnixEndpoint
from tests.deploy.manifests import OPENVPN, SIDECAR, Manifest, manifest, mounts
from tests.deploy.pod_security import assert_has_the_user_of_the_image, assert_is_restricted
from tests.deploy.prometheus_operator import schema_errors

PORT = int(options.DEFAULT_ADDRESS.removeprefix(":"))


@pytest.fixture(scope="module")
def pod() -> Manifest:
    """What the component adds to the pod of OpenVPN."""
    spec: Manifest = manifest("sidecar/container.yaml")["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def exporter(pod: Manifest) -> Manifest:
    (container,) = (each for each in pod["containers"] if each["name"] == "openvpn-exporter")
    return dict(container)


def test_the_kustomizations_include_every_file() -> None:
    component = manifest("sidecar/kustomization.yaml")
    (patch,) = component["patches"]
    included = {*component["resources"], patch["path"], "kustomization.yaml"}
    assert included == {path.name for path in SIDECAR.iterdir()}
    example = manifest("openvpn/kustomization.yaml")
    (config,) = example["configMapGenerator"]
    included = {*example["resources"], *config["files"], "kustomization.yaml"}
    assert included == {path.name for path in OPENVPN.iterdir()}
    assert [(OPENVPN / path).resolve() for path in example["components"]] == [SIDECAR]


def test_the_component_changes_the_workload_of_the_example() -> None:
    (patch,) = manifest("sidecar/kustomization.yaml")["patches"]
    workload = manifest("openvpn/deployment.yaml")
    name, _, value = patch["target"]["labelSelector"].partition("=")
    assert workload["metadata"]["labels"][name] == value
    assert workload["kind"] in patch["target"]["kind"].split("|")


def test_all_selectors_select_the_pods() -> None:
    workload = manifest("openvpn/deployment.yaml")["spec"]
    labels = workload["template"]["metadata"]["labels"]
    assert workload["selector"]["matchLabels"].items() <= labels.items()
    policy = manifest("openvpn/networkpolicy.yaml")["spec"]["podSelector"]
    assert policy["matchLabels"].items() <= labels.items()
    added = manifest("sidecar/container.yaml")["spec"]["template"]["metadata"]["labels"]
    monitor = manifest("sidecar/podmonitor.yaml")["spec"]
    assert monitor["selector"]["matchLabels"] == added


def test_the_policy_of_the_example_allows_the_vpn_and_the_metrics(exporter: Manifest) -> None:
    (openvpn,) = manifest("openvpn/deployment.yaml")["spec"]["template"]["spec"]["containers"]
    vpn, metrics = manifest("openvpn/networkpolicy.yaml")["spec"]["ingress"]
    assert "from" not in vpn
    for rule, container in ((vpn, openvpn), (metrics, exporter)):
        (port,) = container["ports"]
        assert rule["ports"] == [{"port": port["name"], "protocol": port["protocol"]}]


def test_the_monitor_scrapes_the_port_and_path_of_the_metrics(exporter: Manifest) -> None:
    (endpoint,) = manifest("sidecar/podmonitor.yaml")["spec"]["podMetricsEndpoints"]
    (port,) = exporter["ports"]
    assert (endpoint["port"], port["containerPort"]) == (port["name"], PORT)
    arguments = ["--config.file", "x"]
    assert endpoint["path"] == command_parser(SERVE).parse_args(arguments).telemetry_path


def test_the_operator_knows_every_key_of_its_objects() -> None:
    runbook = "http://vpn:9176/docs/runbook"
    rules = [
        yaml.safe_load(prometheus_rule("vpn", render(file, runbook=runbook)))
        for file in (ALERTS, USAGE)
    ]
    for item in (manifest("sidecar/podmonitor.yaml"), *rules):
        assert schema_errors(item) == []
        assert schema_errors(item | {"spec": item["spec"] | {"joblabel": "x"}}) != []


class TestExporter:
    def test_is_restricted(self, exporter: Manifest) -> None:
        assert_is_restricted(exporter, pod={})
        assert_has_the_user_of_the_image(exporter)

    def test_is_restarted_but_has_no_readiness_probe(self, exporter: Manifest) -> None:
        assert exporter["livenessProbe"]["httpGet"]["path"] == "/-/healthy"
        assert exporter["startupProbe"]["httpGet"]["path"] == "/-/ready"
        assert "readinessProbe" not in exporter

    def test_reads_the_mounted_configuration(self, exporter: Manifest, pod: Manifest) -> None:
        parsed = command_parser(SERVE).parse_args(exporter["args"])
        path = Path(parsed.config_file)
        (generated,) = manifest("openvpn/kustomization.yaml")["configMapGenerator"]
        assert path.name in generated["files"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        volume = volumes[mounts(exporter)[str(path.parent)]]
        assert volume["configMap"] == {"name": generated["name"]}


def test_openvpn_and_the_exporter_share_the_directory_of_the_socket(pod: Manifest) -> None:
    (daemon,) = load(OPENVPN / "config.yaml").daemons
    assert isinstance(daemon.management, UnixEndpoint)
    directory = str(Path(daemon.management.path).parent)
    (name,) = {mounts(container)[directory] for container in pod["containers"]}
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == name)
    assert "emptyDir" in volume
    text = (OPENVPN / "config.yaml").read_text()
    match = re.search(r"^# +management (\S+) unix$", text, re.MULTILINE)
    assert match is not None
    assert match[1] == daemon.management.path
