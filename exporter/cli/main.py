"""The command of a command line, and the exit codes of its errors."""

import argparse
import os
import sys
from collections.abc import Sequence

import msgspec

from exporter import __version__, descriptors, log
from exporter.cli.environment import (
    Sources,
    add_variables_to_help,
    log_overridden,
    log_unknown,
    parse_flags,
    unknown_variables,
    variable_names,
)
from exporter.cli.migration import check_migrated_flags
from exporter.cli.options import EXCLUSIVE, add_log_flags
from exporter.cli.streams import prepare_streams
from exporter.cli.subcommand import CommandFailed, Exit, Subcommand, UsageError
from exporter.config import ConfigError

SERVE = Subcommand("serve", "serve the metrics of the configured daemons")

COMMANDS = (
    SERVE,
    Subcommand("check", "validate the configuration, and poll each daemon on request"),
    Subcommand("once", "poll each daemon once and write the metrics to the terminal or a file"),
    Subcommand("demo", "serve the metrics of a simulated fleet, without OpenVPN"),
    Subcommand("rules", "print the rules for Prometheus, with your thresholds: alerts, or usage"),
    Subcommand("dashboards", "list, print or write the dashboards for Grafana"),
    Subcommand("migrate", "print the configuration that replaces the flags of another exporter"),
)

_VARIABLES = "A flag wins over its environment variable, which is in brackets."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with the arguments, by default of the process; return its exit code."""
    prepare_streams()
    command, parser, remaining = _choose(sys.argv[1:] if arguments is None else arguments)
    check_migrated_flags(parser, remaining)
    sources = Sources()
    try:
        parsed, sources = parse_flags(
            parser, remaining, command=command.name, environ=os.environ, exclusive=EXCLUSIVE
        )
        log.configure(log.Level(parsed.log_level), log.LogFormat(parsed.log_format))
        log_overridden(sources)
        _log_unknown_variables(parser, command)
        descriptors.raise_limit()
        code = command.module.run(parsed)
        sys.stdout.flush()
    except UsageError as error:
        parser.error(f"{error}{sources.note()}")
    except ConfigError as error:
        print(_with_variables(error, sources), file=sys.stderr)
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


def _log_unknown_variables(parser: argparse.ArgumentParser, command: Subcommand) -> None:
    """Warn of the variables that no command knows; the others are imported only for this."""
    if unknown_variables(os.environ, variable_names(parser, command.name).values()):
        known = [
            variable
            for each in COMMANDS
            for variable in variable_names(command_parser(each), each.name).values()
        ]
        log_unknown(unknown_variables(os.environ, known), known)


def _with_variables(error: ConfigError, sources: Sources) -> ConfigError:
    """Name the variable in place of the flag in the problems of a flag's value."""
    names = sources.variables
    return ConfigError(
        tuple(
            msgspec.structs.replace(problem, source=names.get(problem.source, problem.source))
            for problem in error.problems
        )
    )


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
    add_variables_to_help(parser, command.name)
    parser.description = f"{parser.description}\n\n{_VARIABLES}"
    return parser


def _overview() -> str:
    lines = (f"  {command.name:<12}{command.summary}" for command in COMMANDS)
    return (
        "commands, each with its own --help:\n"
        + "\n".join(lines)
        + f"\n\nWithout a command, the flags are those of '{SERVE.name}'.\n"
        "Example: openvpn-exporter --openvpn.management 127.0.0.1:7505"
    )
