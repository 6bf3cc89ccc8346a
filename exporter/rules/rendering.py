"""The rules with the job, the thresholds and the runbook's address filled in."""

import string
from collections.abc import Mapping
from importlib import resources

from exporter.rules.thresholds import THRESHOLDS

JOB = "openvpn"
"""The job of the examples."""

RUNBOOK = "docs/runbook.md"
"""The runbook's place in the repository; an address that opens is the user's to give."""


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
        ValueError: no such threshold, or its value is not written that way.
    """
    wanted = {threshold.name: threshold.default for threshold in THRESHOLDS} | dict(thresholds or {})
    known = {threshold.name: threshold for threshold in THRESHOLDS}
    places = {"job": _quoted(job), "runbook": runbook}
    for name, text in wanted.items():
        if name not in known:
            raise ValueError(f"{name!r} is no threshold: use one of {', '.join(known)}")
        places |= known[name].places(text)
    rules = resources.files(__package__).joinpath("openvpn.rules.yml")
    return _Template(rules.read_text(encoding="utf-8")).substitute(places)


def _quoted(text: str) -> str:
    """Return `text` as it stands between double quotes in PromQL."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
