"""`once`: ask each daemon once, write the page, and leave.

For people, and for node_exporter's textfile collector. The exporter's own metrics are left out:
they would tell of a process that is gone, under names that node_exporter has as well.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from exporter.cli.command import Command, Exit
from exporter.cli.options import add_source, check_source, configuration
from exporter.cli.output import write
from exporter.config import Config
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.monitor.oneshot import OneShotResult
from exporter.monitor.round import poll_all
from exporter.state.down import DownState


def _add_flags(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the page there, at once and whole, instead of printing it",
    )


def _run(parsed: argparse.Namespace) -> Exit:
    check_source(parsed)
    config = configuration(parsed)
    answers = asyncio.run(poll_all(config))
    write(_page(config, answers), parsed.output)
    for answer in answers:
        for error in answer.errors:
            told = DownState(error).message(answer.state.privacy)
            print(f"{answer.daemon.name}: {told}", file=sys.stderr)
    return Exit.DONE if all(answer.state.up for answer in answers) else Exit.FAILED


def _page(config: Config, answers: Sequence[OneShotResult]) -> bytes:
    exposition = Exposition(catalogue.families(config.clients), CollectorRegistry())
    return exposition.page([answer.state for answer in answers], include_self=False).body


COMMAND = Command(
    name="once",
    summary="ask each daemon once and write the metrics, to a terminal or a file",
    add_flags=_add_flags,
    run=_run,
)
