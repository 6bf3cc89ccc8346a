"""`check`: validate the configuration; with `--connect`, try each daemon and say what was found."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence

from exporter.cli.command import Command, Exit
from exporter.cli.discovered import told
from exporter.cli.source import add_source, check_source, configuration
from exporter.cli.table import table
from exporter.config import Config, DaemonConfig
from exporter.config.durations import show
from exporter.daemon.asking import Answer
from exporter.fleet.round import ask_all
from exporter.management.errors import AuthenticatesClients, Busy
from exporter.management.status import ServerStatus

_UNDERSTOOD = ("daemon", "address", "slot", "asked every", "password", "expected")
_FOUND = (
    *("daemon", "address", "reached", "version", "mode", "state", "clients"),
    *("status", "dco", "waits for", "time"),
)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument(
        "--connect",
        action="store_true",
        help="try each daemon as well: takes its management slot for a moment, and says quit",
    )


def _run(parsed: argparse.Namespace) -> Exit:
    check_source(parsed)
    config = configuration(parsed)
    for line in told(config.findings):
        print(line)
    blocked = any(finding.blocks for finding in config.findings)
    if not parsed.connect:
        print(f"The configuration is right; daemons: {len(config.daemons)}\n")
        print(table(_UNDERSTOOD, [_understood(config, daemon) for daemon in config.daemons]))
        return Exit.USAGE if blocked else Exit.DONE
    answers = asyncio.run(ask_all(config))
    print(table(_FOUND, [_found(answer) for answer in answers]))
    for remark in _remarks(answers):
        print(remark)
    if blocked:
        return Exit.USAGE
    return Exit.FAILED if any(answer.error for answer in answers) else Exit.DONE


def _understood(config: Config, daemon: DaemonConfig) -> Sequence[str]:
    return (
        daemon.name,
        str(daemon.management),
        daemon.slot.value,
        show(daemon.poll_interval or config.poll_interval),
        "from a file" if daemon.password_file else "none",
        str(len(daemon.expected_clients) or ""),
    )


def _found(answer: Answer) -> Sequence[str]:
    record, introduction = answer.record, answer.introduction
    status = record.status
    dco = status.dco_enabled if isinstance(status, ServerStatus) else None
    return (
        answer.daemon.name,
        str(answer.daemon.management),
        "yes" if answer.error is None else f"no: {answer.error.reason.value}",
        introduction.version.version if introduction else "",
        record.mode.value if record.mode else "",
        record.state.name.value if record.state else "",
        str(len(status.clients)) if isinstance(status, ServerStatus) else "",
        _format(answer),
        {True: "yes", False: "no", None: ""}[dco],
        record.waits_for or "",
        f"{answer.seconds:.2f}s",
    )


def _format(answer: Answer) -> str:
    if answer.record.status is None:
        return ""
    return "1" if answer.record.status_fallbacks else "3"


def _remarks(answers: Sequence[Answer]) -> Iterator[str]:
    """Say what to do about each daemon, where there is something to do."""
    for answer in answers:
        name = answer.daemon.name
        if answer.error is not None:
            yield f"{name}: {answer.error}"
        if isinstance(answer.error, Busy):
            yield f"{name}: an exporter that runs holds the slot all the time; look at its metrics"
        if isinstance(answer.error, AuthenticatesClients):
            yield f"{name}: don't try again: each visit may keep a VPN client from logging in"
        if answer.record.restarts_on_disconnect:
            yield (
                f"{name}: this daemon restarts its VPN when a management client leaves "
                "('management-signal'), so this check did that too; remove that option"
            )
        if answer.record.status_fallbacks:
            yield f"{name}: 'status 3' does not end: a row of 512 bytes drops what follows it"


COMMAND = Command(
    name="check",
    summary="validate the configuration, and try each daemon if asked to",
    add_flags=_add_flags,
    run=_run,
)
