"""`once`: poll each daemon once, write the metrics, and exit.

For a terminal, and for node_exporter's textfile collector. The exporter's own metrics are left out:
they would describe a process that has exited, under names that node_exporter uses too.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from exporter.cli.options import add_daemon_flags, check_daemon_flags, load_config
from exporter.cli.output import write
from exporter.cli.subcommand import Exit
from exporter.config import Config, check_not_empty
from exporter.config.target import targets
from exporter.metrics import catalogue
from exporter.metrics.expected_clients import ExpectedClientLines
from exporter.metrics.exposition import Exposition
from exporter.monitor.oneshot import OneShotResult, poll_all
from exporter.state.down import DownState
from exporter.state.expected_clients import ExpectedClients


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Define the flags of the command."""
    add_daemon_flags(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="replace this file atomically instead of printing",
    )


def run(parsed: argparse.Namespace) -> Exit:
    """Poll each daemon once and write the metrics."""
    check_daemon_flags(parsed)
    config = load_config(parsed)
    check_not_empty(config)
    results = asyncio.run(poll_all(targets(config)))
    write(_page(config, results), parsed.output)
    for result in results:
        for error in result.errors:
            message = DownState(error).message(result.daemon.privacy)
            print(f"{result.daemon.name}: {message}", file=sys.stderr)
    return Exit.DONE if all(result.daemon.up for result in results) else Exit.FAILED


def _page(config: Config, results: Sequence[OneShotResult]) -> bytes:
    expected = ExpectedClients()
    expected.configure(config)
    exposition = Exposition(
        catalogue.families(config.clients),
        CollectorRegistry(),  # without the exporter's own metrics
        expected_clients=ExpectedClientLines(expected),
    )
    return exposition.page([result.daemon for result in results]).body
