"""The alerts of `up`, on the targets of one job: fired by promtool."""

import subprocess
from pathlib import Path

import yaml

from tests.alert_rules.shipped import RULES

ALERTS = ("OpenVPNExporterAbsent", "OpenVPNExporterDown")

HEALTHY = "1x60"
DEAD = "0x60"


def firing(directory: Path, job: str, values: str, rules: Path = RULES) -> set[str]:
    """Return which alerts fire after an hour of scrapes, one each minute.

    Args:
        directory: an empty directory, for promtool's files.
        job: the job of the exporter's target.
        values: the values of `up` in promtool's notation.
        rules: the rule file.
    """
    series = [{"series": f'up{{job="{job}", instance="10.1.2.3:9176"}}', "values": values}]
    checks = [{"eval_time": "1h", "alertname": name, "exp_alerts": []} for name in ALERTS]
    case = {"interval": "1m", "input_series": series, "alert_rule_test": checks}
    path = directory / "up.test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(rules)], "tests": [case]}))
    done = subprocess.run(  # noqa: S603
        ["promtool", "test", "rules", path],  # noqa: S607
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # promtool names each alert that it did not expect.
    found = {name for name in ALERTS if f"alertname: {name}," in done.stdout}
    assert (done.returncode == 0) == (not found), done.stdout
    return found
