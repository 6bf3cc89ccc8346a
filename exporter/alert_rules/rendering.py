"""The rules with job, external labels, thresholds and runbook URL filled in."""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

import msgspec

from exporter.alert_rules.thresholds import (
    THRESHOLDS,
    USAGE_THRESHOLDS,
    Placeholders,
    Threshold,
)

JOB = "openvpn"
"""The job of the examples."""


class RuleFile(msgspec.Struct, frozen=True):
    """A file of rules with placeholders, their thresholds, and a file with groups to append."""

    name: str
    thresholds: tuple[Threshold, ...]
    appended: str | None = None


ALERTS = RuleFile("openvpn.rules.yml", THRESHOLDS)
ALERTS_WITH_EACH_CERTIFICATE = RuleFile(
    "openvpn.rules.yml", THRESHOLDS, appended="each_client_certificate.yml"
)
USAGE = RuleFile("usage.rules.yml", USAGE_THRESHOLDS)

_RUNBOOK_LINE = re.compile(r"^ +runbook_url: .*\n", re.MULTILINE)


class _Template(string.Template):
    """A template with placeholders `@{name}`: `$` and `{{` are Prometheus' own."""

    delimiter = "@"


def render(
    file: RuleFile = ALERTS,
    *,
    job: str = JOB,
    external_labels: Sequence[str] = (),
    runbook: str | None = None,
    thresholds: Mapping[str, str] | None = None,
) -> str:
    """Return a rule file, in YAML.

    Args:
        file: the alerts, also with one for each client certificate, or the rules for usage.
        job: the job of the exporter in Prometheus.
        external_labels: names of labels that distinguish several Prometheus servers in a ruler
            that evaluates the rules for all of them, such as `cluster`.
        runbook: the URL of the runbook, to which each alert appends its name as a fragment; without
            one the alerts have no link.
        thresholds: values by name; the others keep their defaults.

    Raises:
        ValueError: an argument is invalid; the text says which, and what to write instead.
    """
    if runbook is not None and not re.fullmatch(r"https?://[\w./:~%?=&+-]+", runbook):
        raise ValueError(
            f"the runbook {runbook!r} is no URL (http:// or https://), or has a fragment"
        )
    placeholders = {"job": _quoted(job), "runbook": runbook or ""}
    placeholders |= _external(external_labels)
    values = {threshold.name: threshold.default for threshold in file.thresholds}
    placeholders |= _placeholders(file.thresholds, values | dict(thresholds or {}))
    rules = _read(file.name)
    if file.appended is not None:
        rules += f"\n{_read(file.appended)}"
    if runbook is None:
        rules = _RUNBOOK_LINE.sub("", rules)
    return _Template(rules).substitute(placeholders)


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _external(labels: Sequence[str]) -> Placeholders:
    """Return the labels as in `on (…)`, and as in the queries of the texts, each before `job`."""
    for label in labels:
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label) or labels.count(label) > 1:
            raise ValueError(f"the external label {label!r} is no name of a label, or is repeated")
        if label in _OWN_LABELS:
            raise ValueError(f"the external label {label!r} is one that the rules use already")
    return {
        "external": "".join(f"{label}, " for label in labels),
        "external_matchers": "".join(f"{label}=%q," for label in labels),
        "external_values": "".join(f"$labels.{label} " for label in labels),
    }


_OWN_LABELS = frozenset({"job", "instance", "daemon", "common_name", "host", "file"})


def _placeholders(thresholds: Sequence[Threshold], values: Mapping[str, str]) -> Placeholders:
    placeholders: Placeholders = {}
    by_name = {threshold.name: threshold for threshold in thresholds}
    for name, text in values.items():
        if name not in by_name:
            raise ValueError(_unknown_threshold(name, by_name))
        try:
            placeholders |= by_name[name].placeholders(text)
        except ValueError as error:
            raise ValueError(f"threshold {name}: {error}") from error
    return placeholders


def _unknown_threshold(name: str, known: Iterable[str]) -> str:
    if any(threshold.name == name for threshold in USAGE_THRESHOLDS):
        return f"{name!r} is a threshold of the rules for usage: add --usage"
    if any(threshold.name == name for threshold in THRESHOLDS):
        return f"{name!r} is a threshold of the alerts: remove --usage"
    return f"{name!r} is no threshold: use one of {', '.join(known)}"


def _quoted(text: str) -> str:
    """Return `text` as written between double quotes in PromQL."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
