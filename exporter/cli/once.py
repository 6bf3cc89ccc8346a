"""`once`: ask each daemon once, write the page, and leave.

For people, and for node_exporter's textfile collector. The exporter's own metrics are left out:
they would tell of a process that is gone, under names that node_exporter has as well.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from exporter.cli.command import Command, CommandFailed, Exit
from exporter.cli.source import add_source, check_source, configuration
from exporter.config import Config
from exporter.daemon.asking import Answer
from exporter.fleet.round import ask_all
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition

_READABLE = 0o644


def _add_flags(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument(
        "--output.file",
        dest="output",
        type=Path,
        metavar="FILE",
        help="write here, at once and whole, instead of to standard output",
    )


def _run(parsed: argparse.Namespace) -> Exit:
    check_source(parsed)
    config = configuration(parsed)
    answers = asyncio.run(ask_all(config))
    _write(_page(config, answers), parsed.output)
    failures = [answer for answer in answers if answer.error is not None]
    for answer in failures:
        print(f"{answer.daemon.name}: {answer.error}", file=sys.stderr)
    return Exit.FAILED if failures else Exit.DONE


def _page(config: Config, answers: Sequence[Answer]) -> bytes:
    exposition = Exposition(catalogue.families(config.clients), CollectorRegistry())
    return exposition.page([answer.record for answer in answers], own=False).body


def _write(page: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(page)
        sys.stdout.flush()
        return
    try:
        replace_file(output, page)
    except OSError as error:
        raise CommandFailed(f"cannot write {output}: {error.strerror}") from error


def replace_file(path: Path, content: bytes) -> None:
    """Give a file a new content for all to read; whoever reads it sees the old or the new, whole.

    Raises:
        OSError: it can't be written; the old one is untouched.
    """
    # node_exporter reads every *.prom file of the directory, and so not this one.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), _READABLE)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


COMMAND = Command(
    name="once",
    summary="ask each daemon once and write the metrics, to a terminal or a file",
    add_flags=_add_flags,
    run=_run,
)
