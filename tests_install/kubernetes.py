"""helm and kubectl, and what they print: objects, validated by the schemas of Kubernetes.

They run without a cluster. `.venv/kubernetes` has them, and the schemas.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.prometheus_operator import schema_errors

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / ".venv" / "kubernetes" / "bin"

VERSIONS = ("1.25.0", "1.37.0")
"""The oldest version of Kubernetes that the chart accepts, and the newest with schemas."""

OPERATOR = "monitoring.coreos.com/"

Manifest = dict[str, Any]


def run(program: str, *arguments: str | Path) -> str:
    """Run a program of the environment; return its output. It must succeed without a warning."""
    done = call(program, *arguments)
    assert (done.returncode, done.stderr) == (0, ""), f"{done.args}\n{done.stdout}{done.stderr}"
    return done.stdout


def call(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [PROGRAMS / program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def objects(text: str) -> list[Manifest]:
    """Return the objects of a YAML stream."""
    return [item for item in yaml.safe_load_all(text) if item]


def only(kind: str, items: Sequence[Manifest]) -> Manifest:
    """Return the one object of a kind."""
    (item,) = (item for item in items if item["kind"] == kind)
    return item


def validate(items: Sequence[Manifest], directory: Path) -> None:
    """Check that each object has the keys and types that Kubernetes or the operator accepts."""
    for item in items:
        if item["apiVersion"].startswith(OPERATOR):
            assert schema_errors(item) == [], item["kind"]
    path = directory / "objects.yaml"
    kubernetes = [item for item in items if not item["apiVersion"].startswith(OPERATOR)]
    path.write_text(yaml.safe_dump_all(kubernetes))
    if not kubernetes:
        return
    for version in VERSIONS:
        run("kubernetes-validate", "--strict", "--quiet", "-k", version, path)
