"""Runs exporters, Prometheus, Alertmanager and the scenario; collects what they show."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exporter.alert_rules import USAGE
from tests.alert_rules.compressed import compressed
from tests.alert_rules.shipped import PROMETHEUS
from tests.docs_queries import docs_queries
from tests.real.lab import Lab
from tests.real.live.alertmanager import Alert, Notification, fake_receivers, running_alertmanager
from tests.real.live.exporters import main_exporter, outpost_exporter
from tests.real.live.fleet import running_fleet
from tests.real.live.grafana import DashboardResults, Window, run_dashboards
from tests.real.live.legacy_dashboards import LegacyResults, query_legacy_dashboards
from tests.real.live.links import LinkResult, follow_links
from tests.real.live.scenario import AlertScenario
from tests.real.live.timing import SCRAPE_INTERVAL, SPEED
from tests.real.prometheus import Prometheus, prometheus_with_config

RULES = "openvpn.rules.yml"
USAGE_RULES = "openvpn-usage.rules.yml"
# Slow polls are no part of the scenario; a machine that is busy with other tests causes them.
# DaemonDown and ExporterDown must fire before the packet errors that they suppress. The tunnel that
# reconnects four times has a history of seconds, not of an hour.
THRESHOLDS = {
    "poll-slow": "10m",
    "daemon-down": "4m",
    "exporter-down": "3m",
    "availability": "0.1",
}


@dataclass(frozen=True, slots=True)
class LiveResult:
    """Dashboards and rules while all alerts are active, alert states, and all notifications."""

    dashboards: DashboardResults
    links: dict[str, LinkResult]
    docs: dict[str, int]
    """The number of series of each query of the documentation."""
    legacy: dict[str, LegacyResults]
    rules: dict[str, str]
    """The error of each rule; empty if none."""
    states: dict[Alert, set[str]]
    """All states in which each alert was seen."""
    notifications: list[Notification]

    def notified(self, status: str) -> set[tuple[Alert, str]]:
        """Return the alerts with this status in a notification, each with its receiver."""
        return {
            (notification.alert, notification.receiver)
            for notification in self.notifications
            if notification.status == status
        }


async def run_live(lab: Lab, directory: Path) -> LiveResult:
    """Run the scenario once."""
    async with (
        fake_receivers(lab) as receivers,
        running_alertmanager(lab, receivers, directory) as alertmanager,
        running_fleet(lab, directory) as fleet,
        main_exporter(lab, fleet, directory) as exporter,
        outpost_exporter(lab, fleet, directory) as outpost,
    ):
        config = prometheus_config([exporter.address, outpost.address], alertmanager.address)
        (directory / RULES).write_text(compressed(SPEED, thresholds=THRESHOLDS))
        (directory / USAGE_RULES).write_text(compressed(SPEED, USAGE))
        async with prometheus_with_config(lab, config, directory) as prom:
            scenario = AlertScenario(fleet, exporter, outpost, prom, alertmanager)
            started_at = time.time()
            await scenario.trigger_all()
            dashboards = await run_dashboards(prom, Window(started_at, time.time()))
            links = await follow_links(prom, Window(started_at, time.time()))
            docs = await query_docs(prom)
            legacy = await query_legacy_dashboards(prom)
            rules = await prom.request("rules")
            await scenario.resolve_all()
            await receivers.wait_all_resolved()
    return LiveResult(
        dashboards=dashboards,
        links=links,
        docs=docs,
        legacy=legacy,
        rules=_problems(rules),
        states=alertmanager.states,
        notifications=receivers.notifications,
    )


async def query_docs(prom: Prometheus) -> dict[str, int]:
    """Run the queries of the documentation, for all daemons and clients in place of its own."""
    counts = {}
    for name, query in docs_queries().items():
        of_all = re.sub(r'\b(daemon|common_name)="(office|alice)"', r'\1=~".+"', query)
        found = await prom.request("query", query=of_all)
        counts[name] = len(found["result"])
    return counts


def prometheus_config(targets: list[str], alertmanager_address: str) -> dict[str, Any]:
    """Return the shipped configuration with short intervals, compressed rules and legacy names."""
    config: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] = {
        "scrape_interval": SCRAPE_INTERVAL,
        "evaluation_interval": SCRAPE_INTERVAL,
    }
    assert config["rule_files"] == [RULES]
    config["rule_files"] += [USAGE_RULES, str(PROMETHEUS / "compat-kumina.rules.yml")]
    [job], [alerting] = config["scrape_configs"], config["alerting"]["alertmanagers"]
    job["static_configs"] = [{"targets": targets}]
    alerting["static_configs"] = [{"targets": [alertmanager_address]}]
    return config


def _problems(rules: dict[str, Any]) -> dict[str, str]:
    return {
        rule["name"]: rule.get("lastError", "") if rule["health"] != "ok" else ""
        for group in rules["groups"]
        for rule in group["rules"]
    }
