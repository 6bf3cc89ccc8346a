"""The alert rules of this version.

    openvpn.rules.yml   the rules, with placeholders for job, thresholds and runbook URL
    thresholds          the thresholds: names, defaults, how each is written
    rendering           the rules with all placeholders filled in

`prometheus/openvpn.rules.yml` is the result with the defaults.
"""

from exporter.alert_rules.rendering import JOB, render
from exporter.alert_rules.thresholds import THRESHOLDS, Threshold

__all__ = ["JOB", "THRESHOLDS", "Threshold", "render"]
