"""The rules with job, thresholds and runbook URL filled in."""

import re
import string
from collections.abc import Mapping
from importlib import resources

from exporter.alert_rules.thresholds import THRESHOLDS, Placeholders

JOB = "openvpn"
"""The job of the examples."""

RUNBOOK = "docs/runbook.md"
"""The runbook in the repository; a URL that browsers can open is up to the user."""

_THRESHOLDS = {threshold.name: threshold for threshold in THRESHOLDS}


class _Template(string.Template):
    """A template with placeholders `@{name}`: `$` and `{{` are Prometheus' own."""

    delimiter = "@"


def render(
    *, job: str = JOB, runbook: str = RUNBOOK, thresholds: Mapping[str, str] | None = None
) -> str:
    """Return the rule file, in YAML.

    Args:
        job: the job of the exporter in Prometheus.
        runbook: the URL of the runbook; each alert appends its name as a fragment.
        thresholds: values by name; the others keep their defaults.

    Raises:
        ValueError: an argument is invalid; the text says which, and what to write instead.
    """
    if not re.fullmatch(r"[\w./:~%?=&+-]+", runbook):
        raise ValueError(f"the runbook {runbook!r} is no URL without a fragment")
    placeholders = {"job": _quoted(job), "runbook": runbook}
    placeholders |= _placeholders({name: item.default for name, item in _THRESHOLDS.items()})
    placeholders |= _placeholders(thresholds or {})
    rules = resources.files(__package__).joinpath("openvpn.rules.yml")
    return _Template(rules.read_text(encoding="utf-8")).substitute(placeholders)


def _placeholders(thresholds: Mapping[str, str]) -> Placeholders:
    placeholders: Placeholders = {}
    for name, text in thresholds.items():
        if name not in _THRESHOLDS:
            raise ValueError(f"{name!r} is no threshold: use one of {', '.join(_THRESHOLDS)}")
        try:
            placeholders |= _THRESHOLDS[name].placeholders(text)
        except ValueError as error:
            raise ValueError(f"threshold {name}: {error}") from error
    return placeholders


def _quoted(text: str) -> str:
    """Return `text` as written between double quotes in PromQL."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
