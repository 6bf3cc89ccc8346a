"""The shipped rules and their promtool tests, read from `prometheus/`."""

from pathlib import Path

import msgspec
import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "prometheus"
RULES = PROMETHEUS / "openvpn.rules.yml"
TESTS = tuple(
    sorted(set(PROMETHEUS.glob("tests/*.test.yml")) - set(PROMETHEUS.glob("tests/compat-*")))
)


class Alert(msgspec.Struct, frozen=True):
    """One alert of the file."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    wait: str = msgspec.field(default="0s", name="for")


class Check(msgspec.Struct, frozen=True):
    """One evaluation of an alert in a promtool test."""

    alertname: str
    eval_time: str
    exp_alerts: list[dict[str, dict[str, str]]]


class Case(msgspec.Struct, frozen=True):
    """One case of a promtool test."""

    name: str
    alert_rule_test: list[Check] = []


def alerts(text: str | None = None) -> list[Alert]:
    """Return the alerts of a rule file, of the shipped one by default."""
    groups = yaml.safe_load(RULES.read_text() if text is None else text)["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    return msgspec.convert(rules, list[Alert])


def cases() -> list[Case]:
    """Return the cases of all promtool tests."""
    found = [case for file in TESTS for case in yaml.safe_load(file.read_text())["tests"]]
    return msgspec.convert(found, list[Case])
