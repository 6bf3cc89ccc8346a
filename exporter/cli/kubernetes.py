"""Kubernetes objects around the files of this version, in YAML."""

import textwrap

_PROMETHEUS_RULE = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: openvpn-exporter
spec:
"""

_CONFIG_MAP = """\
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: openvpn-exporter
    grafana_dashboard: "1"
data:
  {file}: |
"""


def prometheus_rule(name: str, rules: str) -> str:
    """Return the object of the Prometheus Operator, with this name, that contains a rule file."""
    return _PROMETHEUS_RULE.format(name=name) + textwrap.indent(rules, "  ")


def config_map(file: str, dashboard: str) -> str:
    """Return the object from which the sidecar of Grafana's Helm chart loads a dashboard.

    Args:
        file: the name of the file, such as `openvpn-fleet.json`.
        dashboard: its content.
    """
    head = _CONFIG_MAP.format(name=file.removesuffix(".json"), file=file)
    return head + textwrap.indent(dashboard, "    ")
