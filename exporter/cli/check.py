"""`check`: validate the configuration; with `--connect`, try each daemon and say what was found."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from exporter.cli import flags
from exporter.cli.command import Command, Exit
from exporter.cli.discovered import format_findings
from exporter.cli.options import add_source, check_source, configuration
from exporter.cli.table import table
from exporter.config import Config, ConfigError, DaemonConfig, Problem
from exporter.config.durations import format_duration
from exporter.management.errors import ClientAuthPromptError, SlotBusy
from exporter.management.status import ServerStatus
from exporter.monitor.oneshot import OneShotResult
from exporter.monitor.round import poll_all
from exporter.state.daemon import StatusSource
from exporter.state.down import DownState
from exporter.web import web_config

_UNDERSTOOD = ("daemon", "address", "slot", "asked every", "password", "status file", "expected")
_FOUND = (
    *("daemon", "address", "reached", "version", "mode", "state", "clients"),
    *("status", "dco", "waits for", "time"),
)

_EPILOG = """\
Ends with 0 when all is right; 1 when the configuration can be used, but a daemon that was
discovered is not watched, or one was not reached; 2 when the configuration can't be used.
"""


def _add_flags(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    flags.add_web_config(parser)
    parser.add_argument(
        "--connect",
        action="store_true",
        help="try each daemon as well: takes its management slot for a moment, and says quit",
    )
    parser.epilog = _EPILOG


def _run(parsed: argparse.Namespace) -> Exit:
    check_source(parsed)
    config = _validated(parsed)
    for line in format_findings(config.findings):
        print(line)
    whole = bool(config.daemons) and not any(finding.blocks for finding in config.findings)
    if parsed.connect:
        answers = asyncio.run(poll_all(config))
        print(table(_FOUND, [_found(answer) for answer in answers]))
        for remark in _remarks(answers):
            print(remark)
        whole = whole and not any(answer.errors for answer in answers)
    else:
        print(f"{_verdict(config, whole=whole)}; daemons: {len(config.daemons)}\n")
        print(table(_UNDERSTOOD, [_understood(config, daemon) for daemon in config.daemons]))
    return Exit.DONE if whole else Exit.FAILED


def _validated(parsed: argparse.Namespace) -> Config:
    """Return the configuration; raises ConfigError with every problem, the web file's included."""
    web_problems = _web_problems(parsed.web_config)
    try:
        config = configuration(parsed)
    except ConfigError as error:
        raise ConfigError((*error.problems, *web_problems)) from None
    if web_problems:
        raise ConfigError(web_problems)
    return config


def _web_problems(file: Path | None) -> tuple[Problem, ...]:
    try:
        if file is not None:
            web_config.load(file)
    except ConfigError as error:
        return error.problems
    return ()


def _verdict(config: Config, *, whole: bool) -> str:
    if whole:
        return "The configuration is right"
    what = "not all that was found is watched" if config.daemons else "there is nothing to watch"
    return f"The configuration can be used, but {what}"


def _understood(config: Config, daemon: DaemonConfig) -> Sequence[str]:
    asked = daemon.management is not None
    return (
        daemon.name,
        str(daemon.management or ""),
        daemon.slot.value if asked else "",
        format_duration(daemon.poll_interval or config.poll_interval),
        ("from a file" if daemon.password_file else "none") if asked else "",
        str(daemon.status_file or ""),
        str(len(daemon.expected_clients) or ""),
    )


def _found(answer: OneShotResult) -> Sequence[str]:
    record, info = answer.state, answer.info
    status = record.status
    dco = status.dco_enabled if isinstance(status, ServerStatus) else None
    return (
        answer.daemon.name,
        str(answer.daemon.management or answer.daemon.status_file),
        _reached(answer),
        info.version.version if info else "",
        record.mode.value if record.mode else "",
        record.state.name.value if record.state else "",
        str(len(status.clients)) if isinstance(status, ServerStatus) else "",
        _format(answer),
        {True: "yes", False: "no", None: ""}[dco],
        record.prompt or "",
        f"{answer.seconds:.2f}s",
    )


def _reached(answer: OneShotResult) -> str:
    by_file = "by its file" if answer.state.source is StatusSource.STATUS_FILE else ""
    refused = f"no: {answer.errors[0].reason.value}" if answer.errors else ""
    return "; ".join(filter(None, (refused, by_file))) or "yes"


def _format(answer: OneShotResult) -> str:
    if answer.state.status is None or answer.state.source is StatusSource.STATUS_FILE:
        return ""
    return "1" if answer.state.status_fallbacks else "3"


def _remarks(answers: Sequence[OneShotResult]) -> Iterator[str]:
    """Say what to do about each daemon, where there is something to do."""
    for answer in answers:
        name = answer.daemon.name
        for error in answer.errors:
            yield f"{name}: {DownState(error).message(answer.state.privacy)}"
            if isinstance(error, SlotBusy):
                yield f"{name}: an exporter that runs holds the slot all the time; see its metrics"
            if isinstance(error, ClientAuthPromptError):
                yield f"{name}: don't try again: each visit may keep a VPN client from logging in"
        if answer.state.restarts_on_disconnect:
            yield (
                f"{name}: this daemon restarts its VPN when a management client leaves "
                "('management-signal'), so this check did that too; remove that option"
            )
        if answer.state.status_fallbacks:
            yield f"{name}: 'status 3' does not end: a row of 512 bytes drops what follows it"


COMMAND = Command(
    name="check",
    summary="validate the configuration, and try each daemon if asked to",
    add_flags=_add_flags,
    run=_run,
)
