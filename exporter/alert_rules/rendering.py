"""The rules with the job, the thresholds and the runbook's address filled in."""

import re
import string
from collections.abc import Mapping
from importlib import resources

from exporter.alert_rules.thresholds import THRESHOLDS, Placeholders

JOB = "openvpn"
"""The job of the examples."""

RUNBOOK = "docs/runbook.md"
"""The runbook's place in the repository; an address that opens is the user's to give."""

_KNOWN = {threshold.name: threshold for threshold in THRESHOLDS}


class _Template(string.Template):
    """Places are `@{name}`: `$` and `{{` are Prometheus' own."""

    delimiter = "@"


def render(
    *, job: str = JOB, runbook: str = RUNBOOK, thresholds: Mapping[str, str] | None = None
) -> str:
    """Return the rule file, in YAML.

    Args:
        job: under which Prometheus scrapes the exporter.
        runbook: address of the runbook, to which the name of an alert is added.
        thresholds: by name, in the way each is written; the others keep their defaults.

    Raises:
        ValueError: what is wrong with which argument, and what to write instead.
    """
    if not re.fullmatch(r"[\w./:~%?=&+-]+", runbook):
        raise ValueError(f"the runbook's address {runbook!r} is no URL without a fragment")
    places = {"job": _quoted(job), "runbook": runbook}
    places |= _places({name: threshold.default for name, threshold in _KNOWN.items()})
    places |= _places(thresholds or {})
    rules = resources.files(__package__).joinpath("openvpn.rules.yml")
    return _Template(rules.read_text(encoding="utf-8")).substitute(places)


def _places(thresholds: Mapping[str, str]) -> Placeholders:
    places: Placeholders = {}
    for name, text in thresholds.items():
        if name not in _KNOWN:
            raise ValueError(f"{name!r} is no threshold: use one of {', '.join(_KNOWN)}")
        try:
            places |= _KNOWN[name].places(text)
        except ValueError as error:
            raise ValueError(f"threshold {name}: {error}") from error
    return places


def _quoted(text: str) -> str:
    """Return `text` as it stands between double quotes in PromQL."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
