"""`migrate`: print the configuration that replaces the flags of another exporter."""

import argparse
import shlex
import textwrap

import msgspec
import yaml

from exporter.cli.migration import FLAGS, Setting
from exporter.cli.subcommand import Exit, UsageError
from exporter.config import from_flags
from exporter.log import Level
from exporter.web.listener import parse_listen_address
from exporter.web.routes import check_telemetry_path

_EPILOG = f"""\
FLAGS are those of the exporters of kumina, natrontech and patrickjahns; write environment variables
as flags. The configuration is only printed: nothing is monitored or changed.

{textwrap.fill(", ".join(f"-{flag.name}" for flag in FLAGS), 100, break_on_hyphens=False)}

Examples:
  openvpn-exporter migrate -openvpn.status_paths /run/openvpn/a.status,/run/openvpn/b.status
  openvpn-exporter migrate --status-file office:/run/openvpn/office.status --disable-client-metrics
"""

_HEADER = """\
# openvpn-exporter {flags}
#
# A status file has fewer metrics than the management interface, and they are older: set
# 'management' of each daemon beside 'status_file', or in its place. See docs/management.md.
"""

_SWITCHES = frozenset({Setting.NO_ADDRESSES, Setting.NO_CLIENTS, Setting.PROCESS_METRICS})
"""The settings that are true or false."""

_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})
_FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})


class _Replacement(msgspec.Struct):
    """What replaces the flags: flags of this exporter, status files, keys of `clients`."""

    flags: dict[str, str]
    status_files: list[str] = []
    clients: dict[str, bool] = {}

    def add(self, setting: Setting, value: str) -> None:
        """Add one flag of another exporter; raises ValueError if its value is invalid."""
        match setting:
            case Setting.STATUS_FILES:
                self.status_files += value.split(",")
            case Setting.NAMED_STATUS_FILES:
                self.status_files += (_named(text) for text in value.split(","))
            case Setting.NO_ADDRESSES if _boolean(value):
                self.clients["info"] = False
            case Setting.NO_CLIENTS if _boolean(value):
                self.clients["series"] = False
            case Setting.LISTEN_ADDRESS:
                parse_listen_address(value)
                self.flags["--web.listen-address"] = value
            case Setting.TELEMETRY_PATH:
                self.flags["--web.telemetry-path"] = check_telemetry_path(value)
            case Setting.LOG_LEVEL:
                self.flags["--log.level"] = _level(value)
            case _:
                pass  # nothing replaces it

    def text(self) -> str:
        """Return the configuration, with the command in a comment; raises ConfigError."""
        daemons = [
            {"name": daemon.name, "status_file": str(daemon.status_file)}
            for daemon in from_flags(status_files=self.status_files).daemons
        ]
        config = {"daemons": daemons} | ({"clients": self.clients} if self.clients else {})
        body = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=1000)
        return (
            _HEADER.format(flags=shlex.join(word for pair in self.flags.items() for word in pair))
            + body
        )


def _named(text: str) -> str:
    """Return `NAME:PATH` as `NAME=PATH`; what follows a second colon is no part of the path."""
    name, *path = text.split(":")
    return f"{name}={path[0]}" if path else name


def _level(text: str) -> str:
    if text not in list(Level):
        raise ValueError(f"{text!r} is no level: use one of {', '.join(Level)}")
    return text


def _boolean(text: str) -> bool:
    """Return the truth of a value, as Go reads it; raises ValueError."""
    if text not in _TRUE | _FALSE:
        raise ValueError(f"{text!r} is neither true nor false")
    return text in _TRUE


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Define the flags of the other exporters; they have no environment variables here."""
    for flag in FLAGS:
        parser.add_argument(
            f"--{flag.name}",
            f"-{flag.name}",
            dest=flag.name,
            action="append",
            nargs="?" if flag.setting in _SWITCHES else None,
            const="true" if flag.setting in _SWITCHES else None,
            default=argparse.SUPPRESS,
            help=argparse.SUPPRESS,
        )
    parser.usage = "%(prog)s FLAGS"
    parser.epilog = _EPILOG


def run(parsed: argparse.Namespace) -> Exit:
    """Print the configuration."""
    replacement = _Replacement({"--config.file": "/etc/openvpn-exporter/config.yaml"})
    if parsed.log_level != Level.INFO:
        replacement.flags["--log.level"] = parsed.log_level
    for flag in FLAGS:
        for value in getattr(parsed, flag.name, ()):
            try:
                replacement.add(flag.setting, value)
            except ValueError as error:
                raise UsageError(f"argument {flag.name}: {error}") from error
    if not replacement.status_files:
        raise UsageError("no status file: add the flag that names it, or see docs/migration.md")
    print(replacement.text(), end="")
    return Exit.DONE
