"""The Prometheus Operator without a cluster: the schemas of its objects, and the jobs of targets.

`scripts/operator_schemas.py` writes the schemas. The jobs are those of `generatePodMonitorConfig`
and `generateServiceMonitorConfig` in `pkg/prometheus/promcfg.go`, without the operator's settings.
"""

import json
from typing import Any

import jsonschema

from tests.deploy.dockerfile import ROOT

Manifest = dict[str, Any]

_SCHEMAS = json.loads((ROOT / "tests" / "data" / "kubernetes" / "operator.json").read_text())


def schema_errors(manifest: Manifest) -> list[str]:
    """Return what the operator's schema refuses in an object, unknown keys included."""
    schema = _SCHEMAS["kinds"][manifest["kind"]]
    return [
        f"{error.json_path}: {error.message}"
        for error in jsonschema.Draft7Validator(schema).iter_errors(manifest)
    ]


def job_of_target(monitor: Manifest, found: Manifest) -> str | None:
    """Return the job of the targets in a pod or service; None if the monitor does not select it.

    Args:
        monitor: a PodMonitor or ServiceMonitor, with its namespace.
        found: the pod, or its template, of a PodMonitor; the Service of a ServiceMonitor.
    """
    labels: dict[str, str] = found["metadata"]["labels"]
    spec = monitor["spec"]
    assert set(spec["selector"]) == {"matchLabels"}, "other selectors are not simulated"
    if not spec["selector"]["matchLabels"].items() <= labels.items():
        return None
    if monitor["kind"] == "PodMonitor":
        (endpoint,) = spec["podMetricsEndpoints"]
        default = f"{monitor['metadata']['namespace']}/{monitor['metadata']['name']}"
    else:
        (endpoint,) = spec["endpoints"]
        default = found["metadata"]["name"]
    assert "relabelings" not in endpoint, "relabelings are not simulated"
    # An absent or empty label leaves the default.
    return labels.get(spec.get("jobLabel", "")) or default
