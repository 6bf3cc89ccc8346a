"""The shipped rules with compressed time, so that hours of a scenario pass in seconds."""

import re
from collections.abc import Mapping

import yaml

from exporter.alert_rules import ALERTS, RuleFile, Threshold, render
from exporter.config import durations

_TIME = r"[0-9][0-9a-z]*"
_WINDOW = re.compile(
    rf"(?<=\[){_TIME}(?=[:\]])|(?<=:){_TIME}(?=\])|(?<=offset ){_TIME}"  # also [7d:15m]
)


def compressed(
    speed: float,
    file: RuleFile = ALERTS,
    *,
    job: str = "openvpn",
    thresholds: Mapping[str, str] | None = None,
) -> str:
    """Return the rules with all times divided by `speed`: windows, waits, and limits in seconds.

    Numbers of events stay as they are: what takes three reconnects in half an hour takes three in
    half an hour by `speed`. Scrapes and evaluations must be as much closer together; the shortest
    window, of three minutes, wants two scrapes in it.

    Args:
        speed: how many seconds of the rules pass in one.
        file: the rules.
        job: under which Prometheus scrapes the exporter.
        thresholds: uncompressed, as users write them.
    """
    wanted = {threshold.name: threshold.default for threshold in file.thresholds} | dict(
        thresholds or {}
    )
    limits = {
        threshold.name: _shorter(wanted[threshold.name], speed)
        for threshold in file.thresholds
        if _is_limit_in_seconds(threshold)
    }
    rules = yaml.safe_load(render(file, job=job, thresholds=wanted))
    limited = yaml.safe_load(render(file, job=job, thresholds=wanted | limits))
    for group, quick in zip(rules["groups"], limited["groups"], strict=True):
        if "interval" in group:
            group["interval"] = _shorter(group["interval"], speed)
        for rule, model in zip(group["rules"], quick["rules"], strict=True):
            rule["expr"] = _in_windows(model["expr"], speed)
            if texts := rule.get("annotations"):
                texts["description"] = _in_windows(texts["description"], speed)
            for key in {"for", "keep_firing_for"} & rule.keys():
                rule[key] = _shorter(rule[key], speed)
    return yaml.safe_dump(rules, sort_keys=False)


def _in_windows(text: str, speed: float) -> str:
    return _WINDOW.sub(lambda window: _shorter(window[0], speed), text)


def _is_limit_in_seconds(threshold: Threshold) -> bool:
    """Whether the threshold is a number in an expression, and not only a wait."""
    return any(name.endswith("_seconds") for name in threshold.placeholders(threshold.default))


def _shorter(time: str, speed: float) -> str:
    return durations.format_duration(durations.parse_duration(time) / speed)
