"""The rules of this version for Prometheus.

    openvpn.rules.yml   the alerts, with placeholders for job, thresholds and runbook URL
    usage.rules.yml     recording rules for the usage of clients, and an alert on a quota; the same
                        placeholders
    each_client_certificate.yml
                        an alert for each client certificate, appended to the alerts on request
    thresholds          the thresholds: names, defaults, how each is written
    rendering           a file with all placeholders filled in

`prometheus/openvpn.rules.yml` and `prometheus/openvpn-usage.rules.yml` are the results with the
defaults.
"""

from exporter.alert_rules.rendering import (
    ALERTS,
    ALERTS_WITH_EACH_CERTIFICATE,
    JOB,
    USAGE,
    RuleFile,
    render,
)
from exporter.alert_rules.thresholds import THRESHOLDS, USAGE_THRESHOLDS, Threshold

__all__ = [
    "ALERTS",
    "ALERTS_WITH_EACH_CERTIFICATE",
    "JOB",
    "THRESHOLDS",
    "USAGE",
    "USAGE_THRESHOLDS",
    "RuleFile",
    "Threshold",
    "render",
]
