"""The alert rules that this version carries.

    openvpn.rules.yml   the rules, with places for the job, the thresholds and the runbook's address
    thresholds          what can be set, how it is written, and the defaults
    rendering           the rules with all places filled in

`prometheus/openvpn.rules.yml` is what comes out with the defaults.
"""

from exporter.alert_rules.rendering import JOB, RUNBOOK, render
from exporter.alert_rules.thresholds import THRESHOLDS, Threshold

__all__ = ["JOB", "RUNBOOK", "THRESHOLDS", "Threshold", "render"]
