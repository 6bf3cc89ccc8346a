"""Files of `deploy/kubernetes`, as they are written."""

from typing import Any

import yaml

from tests.deploy.dockerfile import ROOT

HERE = ROOT / "deploy" / "kubernetes"
OPENVPN = HERE / "openvpn"
SIDECAR = HERE / "sidecar"

Manifest = dict[str, Any]


def manifest(path: str) -> Manifest:
    """Return a file, by its path in `deploy/kubernetes`."""
    content: Manifest = yaml.safe_load((HERE / path).read_text())
    return content


def mounts(container: Manifest) -> dict[str, str]:
    """Return the names of the volumes of a container, by their places in it."""
    return {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
