"""The command of a command line, and the exit codes of its errors."""

import argparse
import sys
from collections.abc import Sequence

from exporter import __version__, descriptors, log
from exporter.cli.migration import check_migrated_flags
from exporter.cli.options import add_log_flags
from exporter.cli.streams import prepare_streams
from exporter.cli.subcommand import CommandFailed, Exit, Subcommand, UsageError
from exporter.config import ConfigError

SERVE = Subcommand("serve", "serve the metrics of the configured daemons")

COMMANDS = (
    SERVE,
    Subcommand("check", "validate the configuration, and poll each daemon on request"),
    Subcommand("once", "poll each daemon once and write the metrics to the terminal or a file"),
    Subcommand("demo", "serve the metrics of a simulated fleet, without OpenVPN"),
    Subcommand("rules", "print the alert rules for Prometheus, with your thresholds"),
    Subcommand("dashboards", "list, print or write the dashboards for Grafana"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with the arguments, by default of the process; return its exit code."""
    prepare_streams()
    command, parser, remaining = _choose(sys.argv[1:] if arguments is None else arguments)
    check_migrated_flags(parser, remaining)
    parsed = parser.parse_args(remaining)
    log.configure(log.Level(parsed.log_level), log.LogFormat(parsed.log_format))
    descriptors.raise_limit()
    try:
        code = command.module.run(parsed)
        sys.stdout.flush()
    except UsageError as error:
        parser.error(str(error))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.USAGE
    except CommandFailed as error:
        print(f"openvpn-exporter: {error}", file=sys.stderr)
        return Exit.FAILED
    return code


def _choose(
    arguments: Sequence[str],
) -> tuple[Subcommand, argparse.ArgumentParser, Sequence[str]]:
    """Return the command that the first argument names, its parser, and the other arguments."""
    if not arguments or arguments[0].startswith("-"):
        return SERVE, program_parser(), arguments
    name, *remaining = arguments
    known = {command.name: command for command in COMMANDS}
    if name not in known:
        program_parser().error(f"{name!r} is no command: use one of {', '.join(known)}")
    return known[name], command_parser(known[name]), remaining


def program_parser() -> argparse.ArgumentParser:
    """Return the parser of a command line without a command; its help lists all commands."""
    parser = argparse.ArgumentParser(
        prog="openvpn-exporter",
        usage="%(prog)s [COMMAND] [FLAGS]",
        description="Prometheus exporter for OpenVPN, over the management interface.",
        epilog=_overview(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return _add_flags(parser, SERVE)


def command_parser(command: Subcommand) -> argparse.ArgumentParser:
    """Return the parser of the command's flags."""
    parser = argparse.ArgumentParser(
        prog=f"openvpn-exporter {command.name}",
        description=f"{command.summary[0].upper()}{command.summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return _add_flags(parser, command)


def _add_flags(parser: argparse.ArgumentParser, command: Subcommand) -> argparse.ArgumentParser:
    parser.add_argument("--version", action="version", version=f"openvpn-exporter {__version__}")
    command.module.add_flags(parser)
    add_log_flags(parser)
    return parser


def _overview() -> str:
    lines = (f"  {command.name:<12}{command.summary}" for command in COMMANDS)
    return (
        "commands, each with its own --help:\n"
        + "\n".join(lines)
        + f"\n\nWithout a command, the flags are those of '{SERVE.name}'.\n"
        "Example: openvpn-exporter --openvpn.management 127.0.0.1:7505"
    )
