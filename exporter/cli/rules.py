"""`rules`: print the alert rules that this version carries, for a job and with thresholds."""

import argparse
from pathlib import Path

from exporter.alert_rules import JOB, RUNBOOK, THRESHOLDS, render
from exporter.cli.command import Command, Exit, UsageError
from exporter.cli.output import write


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--job",
        default=JOB,
        metavar="NAME",
        help="job under which Prometheus scrapes the exporter (default %(default)s)",
    )
    parser.add_argument(
        "--threshold",
        action="append",
        type=_assignment,
        metavar="NAME=VALUE",
        help="set one of the thresholds below; repeatable",
    )
    parser.add_argument(
        "--runbook",
        default=RUNBOOK,
        metavar="URL",
        help="where your people find the runbook (default %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the rules there, at once and whole, instead of printing them",
    )
    parser.epilog = _thresholds()


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} sets nothing: write NAME=VALUE")
    return name, value


def _thresholds() -> str:
    lines = (
        f"  {threshold.name + '=' + threshold.default:<32}{threshold.meaning}"
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


COMMAND = Command(
    name="rules",
    summary="print the alert rules for Prometheus, with thresholds of your own",
    add_flags=_add_flags,
    run=_run,
)
