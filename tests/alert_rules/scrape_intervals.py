"""The promtool cases with other scrape intervals, and each with only the rule that it is about.

The cases have a sample each minute. With a shorter interval a value is repeated until the next
minute, a counter that grows evenly grows in smaller steps, and a missed scrape is missed as long.
What fires, or does not, stays the same.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.alert_rules.shipped import RULES, TESTS

WRITTEN = 60
"""Seconds between two samples of a case as it is written."""

Case = dict[str, Any]
"""A part of a file of promtool: a case, or a group of rules."""

_RUN = re.compile(r"(?P<start>-?[0-9.]+)(?P<step>[+-][0-9.]+)?(?:x(?P<times>[0-9]+))?")
_MISSING = re.compile(r"_(?:x(?P<times>[0-9]+))?")


def resampled(values: str, seconds: int) -> str:
    """Return the samples of a series in promtool's notation, `seconds` apart."""
    factor = WRITTEN // seconds
    return " ".join(_resampled(part, factor) for part in values.split())


def _resampled(part: str, factor: int) -> str:
    if factor == 1:
        return part
    if part == "stale":
        return _repeated("stale _", factor - 1)
    if missing := _MISSING.fullmatch(part):
        return _repeated("_", _samples(missing) * factor)
    run = _RUN.fullmatch(part)
    assert run, part
    if run["step"] is None:
        return _repeated(run["start"], _samples(run) * factor)
    times = int(run["times"])
    end = float(run["start"]) + float(run["step"]) * times
    step = float(run["step"]) / factor
    return f"{run['start']}{step:+.10g}x{times * factor} {_repeated(f'{end:.10g}', factor - 1)}"


def _samples(part: re.Match[str]) -> int:
    """Return the number of samples: `7x3` has four."""
    return int(part["times"] or 0) + 1


def _repeated(value: str, samples: int) -> str:
    return f"{value}x{samples - 1}"


def write_cases(directory: Path, seconds: int) -> list[Path]:
    """Write the cases of each alert, with samples `seconds` apart, and its rule; return the tests.

    Cases of no alert are about all rules. Texts are compared as the cases are written only: they
    have numbers, which differ a little.
    """
    groups = yaml.safe_load(RULES.read_text())["groups"]
    if seconds != WRITTEN:
        for rule in (rule for group in groups for rule in group["rules"]):
            del rule["annotations"]
    files = []
    for source in TESTS:
        document = yaml.safe_load(source.read_text())
        for name, written in _by_alert(document["tests"]).items():
            cases = (
                written
                if seconds == WRITTEN
                else [_with_interval(case, seconds) for case in written if _is_minutely(case)]
            )
            if cases:
                rules = directory / f"{name or 'all'}.rules.yml"
                rules.write_text(yaml.safe_dump({"groups": _select(groups, name)}))
                tests = document | {"rule_files": [rules.name], "tests": cases}
                files.append(directory / f"{name}-{source.name}")
                files[-1].write_text(yaml.safe_dump(tests))
    return files


def _by_alert(cases: list[Case]) -> dict[str, list[Case]]:
    """Return the cases by the alert in their name, "" where there is none."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        alert, _, kind = case["name"].partition(":")[0].partition(" ")
        found.setdefault(alert if kind in {"fires", "silent"} else "", []).append(case)
    return found


def _select(groups: list[Case], alert: str) -> list[Case]:
    """Return the groups with one alert, or with all."""
    return [
        group | {"rules": [rule for rule in group["rules"] if alert in {"", rule["alert"]}]}
        for group in groups
    ]


def _is_minutely(case: Case) -> bool:
    interval: str = case["interval"]
    return interval == "1m"


def _with_interval(case: Case, seconds: int) -> Case:
    series = [
        each | {"values": resampled(each["values"], seconds)} for each in case["input_series"]
    ]
    checks = [
        check
        | {"exp_alerts": [{"exp_labels": alert["exp_labels"]} for alert in check["exp_alerts"]]}
        for check in case.get("alert_rule_test", ())
    ]
    return case | {
        "interval": f"{seconds}s",
        "input_series": series,
        "alert_rule_test": checks,
    }
