"""The whole of it: exporter, Prometheus, Alertmanager, the story, and what was seen of it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.alert_rules.compressed import compressed
from tests.alert_rules.shipped import PROMETHEUS
from tests.real.lab import Lab
from tests.real.live.alertmanager import Alert, Notification, alertmanager, receivers
from tests.real.live.exporters import main_exporter, outpost_exporter
from tests.real.live.fleet import fleet
from tests.real.live.grafana import DashboardResults, Window, run_dashboards
from tests.real.live.legacy_dashboards import Answers, query_legacy_dashboards
from tests.real.live.scenario import AlertScenario
from tests.real.live.timing import SCRAPE_INTERVAL, SPEED
from tests.real.prometheus import prometheus_with_config

RULES = "openvpn.rules.yml"
# Slow answers are not what is told here, and come from a machine that is busy with other tests; but
# what is down must be known before the bad packets that were there are.
THRESHOLDS = {"poll-slow": "10m", "daemon-down": "1m", "exporter-down": "3m"}


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What was seen: of dashboards, rules and alerts at the worst, and of messages in the end."""

    run_dashboards: DashboardResults
    legacy: dict[str, Answers]
    rules: dict[str, str]
    """What is wrong with each rule; nothing, mostly."""
    states: dict[Alert, set[str]]
    """In which states each alert ever was."""
    notifications: list[Notification]

    def notified(self, status: str) -> set[tuple[Alert, str]]:
        """Return which alerts had this status in a message, with everybody who got it."""
        return {
            (notifications.alert, notifications.receiver)
            for notifications in self.notifications
            if notifications.status == status
        }


async def run_live(lab: Lab, directory: Path) -> LiveResult:
    """Tell the story once."""
    async with (
        receivers(lab) as receivers_,
        alertmanager(lab, receivers_, directory) as alertmanager_,
        fleet(lab, directory) as fleet_,
        main_exporter(lab, fleet_, directory) as exporter,
        outpost_exporter(lab, fleet_, directory) as outpost,
    ):
        config = prometheus_config([exporter.address, outpost.address], alertmanager_.address)
        (directory / RULES).write_text(compressed(SPEED, thresholds=THRESHOLDS))
        async with prometheus_with_config(lab, config, directory) as prom:
            scenario = AlertScenario(fleet_, exporter, outpost, prom, alertmanager_)
            started_at = time.time()
            await scenario.trigger_all()
            dashboards = await run_dashboards(prom, Window(started_at, time.time()))
            legacy = await query_legacy_dashboards(prom)
            rules = await prom.ask("rules")
            await scenario.resolve_all()
            await receivers_.wait_all_resolved()
    return LiveResult(
        run_dashboards=dashboards,
        legacy=legacy,
        rules=_problems(rules),
        states=alertmanager_.states,
        notifications=receivers_.notifications,
    )


def prometheus_config(targets: list[str], alertmanager_at: str) -> dict[str, Any]:
    """Return the shipped configuration: closer scrapes, compressed rules, old names as well."""
    config: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] = {
        "scrape_interval": SCRAPE_INTERVAL,
        "evaluation_interval": SCRAPE_INTERVAL,
    }
    assert config["rule_files"] == [RULES]
    config["rule_files"].append(str(PROMETHEUS / "compat-kumina.rules.yml"))
    [job], [alertmanager_] = config["scrape_configs"], config["alerting"]["alertmanagers"]
    job["static_configs"] = [{"targets": targets}]
    alertmanager_["static_configs"] = [{"targets": [alertmanager_at]}]
    return config


def _problems(rules: dict[str, Any]) -> dict[str, str]:
    return {
        rule["name"]: rule.get("lastError", "") if rule["health"] != "ok" else ""
        for group in rules["groups"]
        for rule in group["rules"]
    }
