"""The sidecar, built by kubectl: in the example, and in the kustomization of a user."""

import os
from pathlib import Path

import pytest
import yaml

from tests.deploy.manifests import OPENVPN, SIDECAR, mounts
from tests.deploy.pod_security import assert_is_restricted
from tests_install.kubernetes import Manifest, objects, only, run, validate

CONFIG = "daemons: [{name: vpn, management: 'unix:/run/openvpn-management/vpn.sock'}]\n"

KINDS = ("DaemonSet", "Deployment", "StatefulSet")


def workload(kind: str, name: str, label: str) -> Manifest:
    """Return a workload that has a volume already, and another container."""
    containers = [
        {"name": "init-log", "image": "log"},
        {"name": "openvpn", "image": "vpn", "volumeMounts": [{"name": "pki", "mountPath": "/pki"}]},
    ]
    labels = {"app.kubernetes.io/name": label}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": containers, "volumes": [{"name": "pki", "emptyDir": {}}]},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }


def build(directory: Path, *workloads: Manifest) -> list[Manifest]:
    """Build the kustomization of a user, with a configuration and an image of its own."""
    (directory / "workloads.yaml").write_text(yaml.safe_dump_all(workloads))
    (directory / "config.yaml").write_text(CONFIG)
    kustomization = {
        "resources": ["workloads.yaml"],
        "components": [os.path.relpath(SIDECAR, directory)],
        "images": [{"name": "openvpn-exporter", "newName": "registry/exporter", "newTag": "1.2.3"}],
        "configMapGenerator": [{"name": "openvpn-exporter", "files": ["config.yaml"]}],
    }
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return objects(run("kubectl", "kustomize", directory))


def containers_of(item: Manifest) -> dict[str, Manifest]:
    return {each["name"]: each for each in item["spec"]["template"]["spec"]["containers"]}


def test_kubernetes_accepts_the_example(tmp_path: Path) -> None:
    items = objects(run("kubectl", "kustomize", OPENVPN))
    kinds = {item["kind"] for item in items}
    assert kinds == {"ConfigMap", "Deployment", "NetworkPolicy", "PodMonitor"}
    validate(items, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_sidecar_is_added_to_a_workload(kind: str, tmp_path: Path) -> None:
    items = build(tmp_path, workload(kind, "vpn", "openvpn"))
    validate(items, tmp_path)
    item = only(kind, items)
    containers = containers_of(item)
    assert set(containers) == {"init-log", "openvpn", "openvpn-exporter"}
    exporter = containers["openvpn-exporter"]
    assert_is_restricted(exporter, pod={})
    assert exporter["image"] == "registry/exporter:1.2.3"
    directory = "/run/openvpn-management"
    shared = {mounts(containers[name])[directory] for name in ("openvpn", "openvpn-exporter")}
    assert shared == {"openvpn-management"}
    assert mounts(containers["openvpn"])["/pki"] == "pki"
    config = only("ConfigMap", items)
    assert config["data"]["config.yaml"] == CONFIG
    volumes = {volume["name"]: volume for volume in item["spec"]["template"]["spec"]["volumes"]}
    assert volumes["openvpn-exporter"]["configMap"]["name"] == config["metadata"]["name"]
    assert set(volumes) == {"openvpn-exporter", "openvpn-management", "pki"}


def test_monitor_selects_the_pods_and_names_their_job(tmp_path: Path) -> None:
    items = build(tmp_path, workload("Deployment", "vpn", "openvpn"))
    labels = only("Deployment", items)["spec"]["template"]["metadata"]["labels"]
    monitor = only("PodMonitor", items)["spec"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert labels[monitor["jobLabel"]] == "openvpn"


def test_other_workloads_stay_as_they_are(tmp_path: Path) -> None:
    other = workload("Deployment", "web", "nginx")
    items = build(tmp_path, workload("StatefulSet", "vpn", "openvpn"), other)
    assert only("Deployment", items) == other
