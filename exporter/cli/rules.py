"""`rules`: print the rules of this version, with labels, thresholds and links."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from exporter.alert_rules import (
    ALERTS,
    ALERTS_WITH_EACH_CERTIFICATE,
    JOB,
    USAGE,
    RuleFile,
    Threshold,
    render,
)
from exporter.cli.kubernetes import prometheus_rule
from exporter.cli.output import write
from exporter.cli.subcommand import Exit, UsageError

_FORMATS: Mapping[str, Callable[[str, str], str]] = {
    "file": lambda _, rules: rules,
    "prometheusrule": prometheus_rule,
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Define the flags of the command."""
    _add_kind_flags(parser)
    parser.add_argument(
        "--job",
        default=JOB,
        metavar="NAME",
        help="job of the exporter in Prometheus (default %(default)s)",
    )
    parser.add_argument(
        "--external-label",
        action="append",
        default=[],
        metavar="NAME",
        help="external label that distinguishes the Prometheus servers of a global ruler, such as "
        "cluster; repeatable",
    )
    parser.add_argument(
        "--threshold",
        action="append",
        type=_assignment,
        metavar="NAME=VALUE",
        help="set a threshold of the lists below; repeatable",
    )
    parser.add_argument(
        "--runbook",
        metavar="URL",
        help="link each alert to its section of the runbook at this URL, such as the exporter's "
        "own, http://vpn:9176/docs/runbook (default: no links)",
    )
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="file",
        help="file: for Prometheus' rule_files; prometheusrule: the Kubernetes object of the "
        "Prometheus Operator (default %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="replace this file atomically instead of printing",
    )
    parser.epilog = _thresholds()


def _add_kind_flags(parser: argparse.ArgumentParser) -> None:
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--each-client-certificate",
        action="store_true",
        help="also print an alert for each name whose certificate expires; needs 'series' of 'pki'",
    )
    kind.add_argument(
        "--usage",
        action="store_true",
        help="print the rules for the usage of clients instead of the alerts",
    )


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no assignment: write NAME=VALUE")
    return name, value


def _thresholds() -> str:
    return (
        "thresholds and their defaults:\n" + _described(ALERTS.thresholds) + "\n"
        "with --usage:\n" + _described(USAGE.thresholds) + "\nExamples:\n"
        "  openvpn-exporter rules --threshold daemon-down=10m > openvpn.rules.yml\n"
        "  openvpn-exporter rules --usage > openvpn-usage.rules.yml\n"
        "  openvpn-exporter rules --external-label cluster       for a ruler of several clusters\n"
        "  openvpn-exporter rules --format prometheusrule | kubectl apply --server-side -f -\n"
    )


def _described(thresholds: Sequence[Threshold]) -> str:
    return "".join(
        f"  {threshold.name + '=' + threshold.default:<32}{threshold.description}\n"
        for threshold in thresholds
    )


def _file(parsed: argparse.Namespace) -> RuleFile:
    if parsed.usage:
        return USAGE
    return ALERTS_WITH_EACH_CERTIFICATE if parsed.each_client_certificate else ALERTS


def run(parsed: argparse.Namespace) -> Exit:
    """Print or write the rules."""
    try:
        thresholds = dict(parsed.threshold or ())
        rules = render(
            _file(parsed),
            job=parsed.job,
            external_labels=parsed.external_label,
            runbook=parsed.runbook,
            thresholds=thresholds,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    name = "openvpn-exporter-usage" if parsed.usage else "openvpn-exporter"
    write(_FORMATS[parsed.format](name, rules).encode(), parsed.output)
    return Exit.DONE
