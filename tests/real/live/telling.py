"""The whole of it: exporter, Prometheus, Alertmanager, the story, and what was seen of it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.alert_rules.compressed import compressed
from tests.alert_rules.shipped import PROMETHEUS
from tests.real.lab import Lab
from tests.real.live.alertmanager import Alert, News, alertmanager, receivers
from tests.real.live.cast import cast
from tests.real.live.grafana import Replay, Window, replay
from tests.real.live.old_dashboards import Answers, open_old
from tests.real.live.story import Story
from tests.real.live.tempo import SCRAPE_INTERVAL, SPEED
from tests.real.live.watching import watching, watching_outpost
from tests.real.prometheus import configured

RULES = "openvpn.rules.yml"
# Slow answers are not what is told here, and come from a machine that is busy with other tests; but
# what is down must be known before the bad packets that were there are.
THRESHOLDS = {"poll-slow": "10m", "daemon-down": "1m", "exporter-down": "3m"}


@dataclass(frozen=True, slots=True)
class Told:
    """What was seen: of dashboards, rules and alerts at the worst, and of messages in the end."""

    replay: Replay
    old: dict[str, Answers]
    rules: dict[str, str]
    """What is wrong with each rule; nothing, mostly."""
    states: dict[Alert, set[str]]
    """In which states each alert ever was."""
    news: list[News]

    def heard(self, status: str) -> set[tuple[Alert, str]]:
        """Return which alerts had this status in a message, with everybody who got it."""
        return {(news.alert, news.receiver) for news in self.news if news.status == status}


async def tell(lab: Lab, directory: Path) -> Told:
    """Tell the story once."""
    async with (
        receivers(lab) as those,
        alertmanager(lab, those, directory) as alerting,
        cast(lab, directory) as everybody,
        watching(lab, everybody, directory) as exporter,
        watching_outpost(lab, everybody, directory) as outpost,
    ):
        config = prometheus_config([exporter.address, outpost.address], alerting.address)
        (directory / RULES).write_text(compressed(SPEED, thresholds=THRESHOLDS))
        async with configured(lab, config, directory) as asked:
            story = Story(everybody, exporter, outpost, asked, alerting)
            begin = time.time()
            await story.rise()
            seen = await replay(asked, Window(begin, time.time()))
            old = await open_old(asked)
            rules = await asked.ask("rules")
            await story.fall()
            await those.until_all_is_over()
    return Told(
        replay=seen,
        old=old,
        rules=_problems(rules),
        states=alerting.states,
        news=those.news,
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
    [job], [alerting] = config["scrape_configs"], config["alerting"]["alertmanagers"]
    job["static_configs"] = [{"targets": targets}]
    alerting["static_configs"] = [{"targets": [alertmanager_at]}]
    return config


def _problems(rules: dict[str, Any]) -> dict[str, str]:
    return {
        rule["name"]: rule.get("lastError", "") if rule["health"] != "ok" else ""
        for group in rules["groups"]
        for rule in group["rules"]
    }
