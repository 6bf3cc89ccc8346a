"""`rules`: print the alert rules of this version, for a job and with thresholds."""

import argparse
from pathlib import Path

from exporter.alert_rules import JOB, RUNBOOK, THRESHOLDS, render
from exporter.cli.output import write
from exporter.cli.subcommand import Exit, Subcommand, UsageError


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--job",
        default=JOB,
        metavar="NAME",
        help="job of the exporter in Prometheus (default %(default)s)",
    )
    parser.add_argument(
        "--threshold",
        action="append",
        type=_assignment,
        metavar="NAME=VALUE",
        help="set a threshold of the list below; repeatable",
    )
    parser.add_argument(
        "--runbook",
        default=RUNBOOK,
        metavar="URL",
        help="URL of the runbook (default %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="replace this file atomically instead of printing",
    )
    parser.epilog = _thresholds()


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no assignment: write NAME=VALUE")
    return name, value


def _thresholds() -> str:
    lines = (
        f"  {threshold.name + '=' + threshold.default:<32}{threshold.description}"
        for threshold in THRESHOLDS
    )
    return (
        "thresholds and their defaults:\n"
        + "\n".join(lines)
        + "\n\nExample: openvpn-exporter rules --threshold daemon-down=10m > openvpn.rules.yml"
    )


def _run(parsed: argparse.Namespace) -> Exit:
    try:
        thresholds = dict(parsed.threshold or ())
        rules = render(job=parsed.job, runbook=parsed.runbook, thresholds=thresholds)
    except ValueError as error:
        raise UsageError(str(error)) from error
    write(rules.encode(), parsed.output)
    return Exit.DONE


COMMAND = Subcommand(
    name="rules",
    summary="print the alert rules for Prometheus, with your thresholds",
    add_flags=_add_flags,
    run=_run,
)
