"""From the words of the command line to a command, and from its failures to exit codes."""

import argparse
import sys
from collections.abc import Sequence

from exporter import __version__, log
from exporter.cli import check, dashboards, demo, flags, once, rules, serve
from exporter.cli.command import Command, CommandFailed, Exit, UsageError
from exporter.config import ConfigError

COMMANDS = (
    serve.COMMAND,
    check.COMMAND,
    once.COMMAND,
    demo.COMMAND,
    rules.COMMAND,
    dashboards.COMMAND,
)

_DEFAULT = serve.COMMAND


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with these arguments, the process's own by default; return its exit code."""
    command, rest = _choose(sys.argv[1:] if arguments is None else arguments)
    parser = command_parser(command)
    parsed = parser.parse_args(rest)
    log.configure(log.Level(parsed.log_level), log.Layout(parsed.log_format))
    try:
        return command.run(parsed)
    except UsageError as error:
        parser.error(str(error))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return Exit.USAGE
    except CommandFailed as error:
        print(f"openvpn-exporter: {error}", file=sys.stderr)
        return Exit.FAILED


def _choose(arguments: Sequence[str]) -> tuple[Command, Sequence[str]]:
    """Return the command that the first word names, and the words after it."""
    if not arguments or arguments[0].startswith("-"):
        return _DEFAULT, arguments
    word, *rest = arguments
    known = {command.name: command for command in COMMANDS}
    if word not in known:
        command_parser(_DEFAULT).error(f"{word!r} is no command: use one of {', '.join(known)}")
    return known[word], rest


def command_parser(command: Command) -> argparse.ArgumentParser:
    """Return the parser of the command's flags; the default's help lists all commands as well."""
    is_default = command is _DEFAULT
    parser = argparse.ArgumentParser(
        prog="openvpn-exporter" if is_default else f"openvpn-exporter {command.name}",
        usage=None if not is_default else "%(prog)s [COMMAND] [FLAGS]",
        description="Prometheus exporter for OpenVPN, by its management interface."
        if is_default
        else f"{command.summary[0].upper()}{command.summary[1:]}.",
        epilog=_overview() if is_default else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"openvpn-exporter {__version__}")
    command.add_flags(parser)
    flags.add_log(parser)
    return parser


def _overview() -> str:
    lines = (f"  {command.name:<12}{command.summary}" for command in COMMANDS)
    return (
        "commands, each with a --help of its own:\n"
        + "\n".join(lines)
        + f"\n\nWithout a command, the flags are those of '{_DEFAULT.name}'.\n"
        "Example: openvpn-exporter --openvpn.management 127.0.0.1:7505"
    )
