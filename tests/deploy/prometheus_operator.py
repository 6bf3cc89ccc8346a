"""The job of the targets of a PodMonitor or ServiceMonitor, as the Prometheus Operator relabels.

The steps are those of `generatePodMonitorConfig` and `generateServiceMonitorConfig` in the
operator's `pkg/prometheus/promcfg.go`, 0.93, without the operator's own settings.
"""

from typing import Any

Manifest = dict[str, Any]


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
