"""The shipped rules and their promtool tests, read from `prometheus/`."""

from pathlib import Path

import msgspec
import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "prometheus"
RULES = PROMETHEUS / "openvpn.rules.yml"
USAGE_RULES = PROMETHEUS / "openvpn-usage.rules.yml"
USAGE_TESTS = PROMETHEUS / "tests" / "usage.test.yml"
TESTS = tuple(
    sorted(
        set(PROMETHEUS.glob("tests/*.test.yml")) - {USAGE_TESTS, *PROMETHEUS.glob("tests/compat-*")}
    )
)


class Alert(msgspec.Struct, frozen=True):
    """One alert of the file."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    wait: str = msgspec.field(default="0s", name="for")


class Recording(msgspec.Struct, frozen=True):
    """One recording rule of a file."""

    record: str
    expr: str
    labels: dict[str, str] = {}


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
    found = [rule for rule in _rules(text) if "alert" in rule]
    return msgspec.convert(found, list[Alert])


def recordings(text: str) -> list[Recording]:
    """Return the recording rules of a rule file."""
    found = [rule for rule in _rules(text) if "record" in rule]
    return msgspec.convert(found, list[Recording])


def _rules(text: str | None) -> list[dict[str, object]]:
    groups = yaml.safe_load(RULES.read_text() if text is None else text)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def cases(*files: Path) -> list[Case]:
    """Return the cases of promtool tests, of all alerts by default."""
    found = [case for file in files or TESTS for case in yaml.safe_load(file.read_text())["tests"]]
    return msgspec.convert(found, list[Case])


USAGE_LABELS = {
    "daemon_common_name:openvpn_server_client_bytes:increase5m": frozenset(
        {"job", "instance", "daemon", "common_name", "direction"}
    )
}
"""The labels of the series that the rules for usage record."""
