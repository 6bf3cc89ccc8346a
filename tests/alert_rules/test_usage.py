"""The rules for usage: what they record is what the clients moved."""

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from exporter.alert_rules import USAGE, USAGE_THRESHOLDS, render
from tests.alert_rules.shipped import USAGE_LABELS, USAGE_RULES, USAGE_TESTS, alerts, recordings
from tests.alert_rules.test_rendering import kept_labels
from tests.expressions import analyse, run_promtool

[USAGE_METRIC] = USAGE_LABELS
RULES = recordings(USAGE_RULES.read_text())

HOURS = 4
CLIENTS = 40
RATE = 5000
"""Bytes a second at most."""


def test_file_in_the_repository_is_the_output_of_the_command() -> None:
    assert USAGE_RULES.read_text() == render(USAGE)


def test_promtool_accepts_the_rules() -> None:
    done = run_promtool("check", "rules", str(USAGE_RULES))
    assert done.returncode == 0, done.stdout


def test_rules_pass_their_promtool_tests() -> None:
    done = run_promtool("test", "rules", str(USAGE_TESTS))
    assert done.returncode == 0, done.stdout


def test_both_directions_have_the_same_rule() -> None:
    received, sent = RULES
    assert (received.record, received.labels) == (USAGE_METRIC, {"direction": "received"})
    assert (sent.record, sent.labels) == (USAGE_METRIC, {"direction": "sent"})
    assert sent.expr == received.expr.replace("received", "sent")


def test_rules_use_only_exposed_metrics_and_keep_the_labels_of_a_client() -> None:
    for rule in RULES:
        assert analyse(rule.expr).problems == ()
        assert analyse(rule.expr).labels | set(rule.labels) == USAGE_LABELS[USAGE_METRIC]


def test_external_labels_are_in_each_match(tmp_path: Path) -> None:
    text = render(USAGE, external_labels=["cluster"])
    expressions = [rule.expr for rule in recordings(text)]
    expressions += [alert.expr for alert in alerts(text)]
    kept = [labels for expr in expressions for labels in kept_labels(expr)]
    assert len(kept) == len(expressions)
    assert all("cluster" in labels for labels in kept)
    file = tmp_path / "usage.rules.yml"
    file.write_text(text)
    assert run_promtool("check", "rules", str(file)).returncode == 0


@pytest.mark.parametrize(
    ("text", "rendered"), [("100GB", "> 100e9"), ("7kB", "> 7e3"), ("5MB", "> 5e6")]
)
def test_quota_is_a_number_of_bytes(text: str, rendered: str) -> None:
    [quota] = alerts(render(USAGE, thresholds={"client-quota": text}))
    assert quota.expr.strip().endswith(rendered)


@pytest.mark.parametrize("text", ["100", "0GB", "1.5GB", "100 GB", "100GiB", "-1GB", "many"])
def test_invalid_quota_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"threshold client-quota: .* write one such as"):
        render(USAGE, thresholds={"client-quota": text})


def test_thresholds_of_one_file_are_not_those_of_the_other() -> None:
    with pytest.raises(
        ValueError, match="'client-quota' is a threshold of the rules for usage: add --usage"
    ):
        render(thresholds={"client-quota": "1GB"})
    with pytest.raises(
        ValueError, match="'daemon-down' is a threshold of the alerts: remove --usage"
    ):
        render(USAGE, thresholds={"daemon-down": "5m"})
    with pytest.raises(ValueError, match="use one of client-quota"):
        render(USAGE, thresholds={"quota": "1GB"})
    assert render(USAGE, thresholds={USAGE_THRESHOLDS[0].name: USAGE_THRESHOLDS[0].default}) == (
        render(USAGE)
    )


class Scrapes(msgspec.Struct):
    """The scrapes of one counter: its values, None where it is absent, and what they show.

    `growth` is the sum of all steps; a counter that begins while its exporter is scraped begins
    at 0.
    """

    values: list[int | None] = []
    growth: int = 0


def client_scrapes(rng: random.Random, scrapes: int, seconds: int, failed: range) -> Scrapes:
    """Return the scrapes of a client that comes and goes, and moves bytes at random.

    The exporter forgets it half an hour after it went, and restarts twice. Those in `failed` fail:
    no client begins or ends a session meanwhile.
    """
    found = Scrapes()
    restarts = {scrapes // 3, 2 * scrapes // 3}
    connected, shown_until, value, counted = False, -1, 0, 0
    for number in range(scrapes):
        connected ^= number not in failed and rng.random() < seconds / 1200
        if number in restarts or (number > shown_until and not connected):
            shown_until, value, counted = -1, 0, 0
        if connected:
            shown_until = number + 1800 // seconds
            value += rng.randrange(RATE * seconds) if rng.random() < 0.5 else 0
        if number in failed or number > shown_until:
            found.values.append(None)
            continue
        found.values.append(value)
        found.growth += value - counted
        counted = value
    return found


def notation(values: list[int | None], failed: range) -> str:
    """Return values in promtool's notation; where a scrape fails, a series ends with a mark."""

    def parts() -> Iterator[str]:
        before: int | None = None
        for number, value in enumerate(values):
            ends = value is None and before is not None
            yield (
                "stale" if ends or number == failed.start else "_" if value is None else f"{value}"
            )
            before = value

    return " ".join(parts())


@pytest.mark.parametrize("seconds", [15, 30, 60])
def test_usage_is_the_growth_of_all_counters(seconds: int, tmp_path: Path) -> None:
    """Forty clients over four hours, with two restarts of the exporter and ten failed minutes."""
    rng = random.Random(8 * seconds)
    scrapes = HOURS * 3600 // seconds + 1
    failed = range(scrapes // 2, scrapes // 2 + 600 // seconds)
    target = 'job="openvpn", instance="vpn:9176", daemon="office"'
    up: list[int | None] = [None if number in failed else 1 for number in range(scrapes)]
    series = {f"openvpn_up{{{target}}}": notation(up, failed)}
    checks = []
    for number in range(CLIENTS):
        client = f'{target}, common_name="client-{number}"'
        found = client_scrapes(rng, scrapes, seconds, failed)
        series[f"openvpn_server_client_sent_bytes_total{{{client}}}"] = notation(
            found.values, failed
        )
        # At each of two restarts, increase() extrapolates by a scrape interval at both ends.
        tolerance = 2 * 2 * RATE * seconds
        usage = f'sum_over_time({USAGE_METRIC}{{common_name="client-{number}"}}[{HOURS}h])'
        checks.append(f"sum(abs(sum({usage}) - {found.growth}) <= bool {tolerance})")
    case = {
        "interval": f"{seconds}s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": expr,
                "eval_time": f"{HOURS}h",
                "exp_samples": [{"labels": "{}", "value": 1}],
            }
            for expr in checks
        ],
    }
    file = tmp_path / "usage.test.yml"
    rules = {"rule_files": [str(USAGE_RULES)], "evaluation_interval": "5m"}
    file.write_text(yaml.safe_dump({**rules, "tests": [case]}))
    done = run_promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout
