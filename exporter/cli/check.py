"""`check`: validate the configuration; with `--connect` also poll each daemon once."""

import argparse
import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from exporter.certificates.pki import PkiState
from exporter.cli.expected_clients import check_expected, count_expected
from exporter.cli.issued_certificates import format_invalid, format_lists
from exporter.cli.options import (
    add_daemon_flags,
    add_web_config_flag,
    check_daemon_flags,
    load_config,
)
from exporter.cli.output import format_findings, table
from exporter.cli.port_probes import check_ports
from exporter.cli.subcommand import Exit, UsageError
from exporter.config import Config, ConfigError, DaemonConfig, Problem
from exporter.config.durations import format_duration
from exporter.config.target import targets
from exporter.management.errors import ClientAuthPromptError, SlotBusy, SlotHeld
from exporter.management.status import ServerStatus, StatusSource
from exporter.monitor.oneshot import OneShotResult, poll_all, read_issued
from exporter.state.down import DownState
from exporter.web.web_config import loader as web_config

_CONFIG_HEADS = (
    *("daemon", "address", "slot", "interval", "password", "status file"),
    "expected clients",
)
_RESULT_HEADS = (
    *("daemon", "address", "status", "version", "mode", "state", "clients"),
    *("format", "dco", "prompt", "duration"),
)

_EPILOG = """\
Exit codes: 0, configuration OK; 1, configuration valid, but a discovered daemon is skipped, a
daemon is down, a port does not answer or a list of issued certificates can't be read; 2,
configuration invalid.
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Define the flags of the command."""
    add_daemon_flags(parser)
    add_web_config_flag(parser)
    parser.add_argument(
        "--connect",
        action="store_true",
        help="also poll each daemon once; occupies its management slot for a moment",
    )
    parser.add_argument(
        "--port-probe",
        action="store_true",
        help="with --connect, also probe each port of 'port_probe' and 'port_probes' once",
    )
    parser.epilog = _EPILOG


def run(parsed: argparse.Namespace) -> Exit:
    """Check the configuration and print what was found; with `--connect` poll each daemon."""
    check_daemon_flags(parsed)
    if parsed.port_probe and not parsed.connect:
        raise UsageError("--port-probe needs --connect: a poll shows whether a probe does no harm")
    config = _load(parsed)
    for line in format_findings(config.findings):
        print(line)
    ok = bool(config.daemons or config.port_probes) and not any(
        finding.blocks for finding in config.findings
    )
    if parsed.connect:
        results = asyncio.run(poll_all(targets(config)))
        ok = _report(config, results, port_probe=parsed.port_probe) and ok
        lists = _distinct(result.daemon.client_certificates.pki for result in results)
    else:
        print(f"{_summary(config, ok=ok)}; daemons: {len(config.daemons)}")
        if config.daemons:
            rows = [_config_row(config, daemon) for daemon in config.daemons]
            print(f"\n{table(_CONFIG_HEADS, rows)}", end="")
        issued = asyncio.run(read_issued(targets(config)))
        _print_section(*_shares(config), *_probed_ports(config), *count_expected(config, issued))
        lists = _distinct(issued.values())
    print(format_lists(lists), end="")
    return Exit.DONE if ok and not any(pki.problem for pki in lists) else Exit.FAILED


def _report(config: Config, results: Sequence[OneShotResult], *, port_probe: bool) -> bool:
    """Print what the polls found, and with `port_probe` the probes; return whether all is well."""
    if results:
        print(table(_RESULT_HEADS, [_result_row(result) for result in results]), end="")
    daemons = [result.daemon for result in results]
    _print_section(*_remarks(results), *check_expected(config, daemons))
    ok = not any(result.errors for result in results)
    if port_probe:
        ports = check_ports(config, daemons)
        print(f"\n{ports.text}", end="")
        ok = ok and ports.ok
    return ok


def _print_section(*lines: str) -> None:
    """Print lines below an empty one, if there are any."""
    if lines:
        print("", *lines, sep="\n")


def _distinct(lists: Iterable[PkiState | None]) -> Sequence[PkiState]:
    return list({pki.source: pki for pki in lists if pki is not None}.values())


def _load(parsed: argparse.Namespace) -> Config:
    """Return the configuration; raises ConfigError with the problems of both files."""
    web_problems = _web_problems(parsed.web_config)
    try:
        config = load_config(parsed)
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


def _summary(config: Config, *, ok: bool) -> str:
    if ok:
        return "configuration OK"
    problem = "discovered daemons skipped" if config.daemons else "no daemon to monitor"
    return f"configuration valid, but {problem}"


def _config_row(config: Config, daemon: DaemonConfig) -> Sequence[str]:
    has_management = daemon.management is not None
    return (
        daemon.name,
        str(daemon.management or ""),
        daemon.slot.value if has_management else "",
        format_duration(daemon.poll_interval or config.poll_interval),
        ("file" if daemon.password_file else "none") if has_management else "",
        str(daemon.status_file or ""),
        str(len(daemon.expected_clients) or ""),
    )


def _shares(config: Config) -> Iterator[str]:
    """Yield where other tools connect, by daemon."""
    for daemon in config.daemons:
        if (share := daemon.share) is not None:
            addresses = ", ".join(map(str, share.listen))
            password = "a password" if share.password_file else "no password"
            yield f"{daemon.name}: shared at {addresses}, with {password}"


def _probed_ports(config: Config) -> Iterator[str]:
    """Yield the ports that are probed, by daemon or entry of `port_probes`."""
    for daemon in config.daemons:
        if (plan := daemon.probe_plan) is not None:
            yield f"{daemon.name}: port probes of {', '.join(map(str, plan.targets))}"
    for entry in config.port_probes:
        yield f"{entry.name}: port probes of {entry.target}"


def _result_row(result: OneShotResult) -> Sequence[str]:
    daemon, info = result.daemon, result.info
    status = daemon.status
    dco = status.dco_enabled if isinstance(status, ServerStatus) else None
    return (
        result.daemon.name,
        str(result.daemon.target.address),
        _status_cell(result),
        info.version.version if info and info.version else "",
        daemon.mode.value if daemon.mode else "",
        daemon.state.name.value if daemon.state else "",
        str(len(status.clients)) if isinstance(status, ServerStatus) else "",
        _status_format(result),
        {True: "yes", False: "no", None: ""}[dco],
        daemon.prompt or "",
        f"{result.seconds:.2f}s",
    )


def _status_cell(result: OneShotResult) -> str:
    reason = result.errors[0].reason.value if result.errors else ""
    if result.daemon.source is StatusSource.STATUS_FILE:
        return "up: status file" + (f" (management: {reason})" if reason else "")
    return f"down: {reason}" if reason else "up"


def _status_format(result: OneShotResult) -> str:
    if result.daemon.status is None or result.daemon.source is StatusSource.STATUS_FILE:
        return ""
    return "1" if result.daemon.status_fallbacks else "3"


def _remarks(results: Sequence[OneShotResult]) -> Iterator[str]:
    """Yield each error, its remedy and each warning, by daemon."""
    for result in results:
        name = result.daemon.name
        for error in result.errors:
            yield f"{name}: {DownState(error).message(result.daemon.privacy)}"
            section = error.reason.value
            yield (
                f"{name}: see docs/troubleshooting.md, section '{section}'; "
                f"a running exporter serves it at /docs/troubleshooting#{section}"
            )
            if isinstance(error, SlotBusy) and not isinstance(error, SlotHeld):
                yield f"{name}: a running exporter occupies the slot permanently; see its metrics"
            if isinstance(error, ClientAuthPromptError):
                yield f"{name}: do not repeat this check: a session may block logins of VPN clients"
        if result.daemon.restarts_on_disconnect and not result.daemon.pass_through:
            yield (
                f"{name}: the daemon restarts its VPN when a management client disconnects "
                "('management-signal'), so this check restarted it; remove that option"
            )
        if result.daemon.pass_through:
            yield f"{name}: another management client shares this interface (pass-through)"
        for command, message in result.daemon.failed_commands.messages(
            result.daemon.privacy
        ).items():
            yield f"{name}: {message}; the data of '{command.text}' is missing"
        yield from format_invalid(result.daemon)
        if result.daemon.status_fallbacks:
            yield f"{name}: the reply to 'status 3' has no END: a row of 512 bytes drops the rest"
