"""Flags that several commands share: the daemons, the web server, the log."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from exporter import log
from exporter.cli.environment import Exclusive
from exporter.cli.subcommand import UsageError
from exporter.config import Config, from_flags
from exporter.web.listener import parse_listen_address
from exporter.web.routes import check_telemetry_path
from exporter.web.service_discovery import parse_external_url

DEFAULT_ADDRESS = ":9176"

_DAEMON_FLAGS = ("management", "openvpn_config", "status_file")

EXCLUSIVE = (
    Exclusive(["config_file"], _DAEMON_FLAGS, "add the daemons to the file"),
    Exclusive(["listen"], ["systemd_socket"], "systemd listens on the addresses of its unit"),
)
"""The flags of this module that are not allowed together."""

T = TypeVar("T")


def add_daemon_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that `load_config` reads."""
    parser.add_argument(
        "--config.file", dest="config_file", type=Path, metavar="FILE", help="configuration (YAML)"
    )
    parser.add_argument(
        "--openvpn.config",
        dest="openvpn_config",
        action="append",
        metavar="GLOB",
        help="monitor the daemons of these OpenVPN configurations, without a configuration file; "
        "repeatable: '/etc/openvpn/server/*.conf'",
    )
    parser.add_argument(
        "--openvpn.management",
        dest="management",
        action="append",
        metavar="ADDRESS",
        help="monitor the daemon at this address, without a configuration file; repeatable: "
        "127.0.0.1:7505, unix:/run/openvpn/office.sock, listen:unix:/run/openvpn-exporter/a.sock",
    )
    parser.add_argument(
        "--openvpn.status-file",
        dest="status_file",
        action="append",
        metavar="[NAME=]GLOB",
        help="monitor the daemons of these status files, without a configuration file; repeatable: "
        "'/run/openvpn-server/status-*.log', lisbon=/var/log/openvpn/status.log",
    )


def check_daemon_flags(parsed: argparse.Namespace) -> None:
    """Raise UsageError unless a flag sets the daemons."""
    if not any(getattr(parsed, dest) for dest in ("config_file", *_DAEMON_FLAGS)):
        raise UsageError(
            "no daemon to monitor: set --config.file, --openvpn.config, --openvpn.management or "
            "--openvpn.status-file; 'openvpn-exporter demo' needs none of them"
        )


def load_config(parsed: argparse.Namespace, *, pipe_timeout: float | None = None) -> Config:
    """Return the configuration of the flags of `add_daemon_flags`; each call reads the files.

    A pipe in the place of the file has `pipe_timeout` seconds to end.

    Raises ConfigError with every problem.
    """
    if parsed.config_file is not None:
        # YAML takes a MiB, and a twentieth of the time of the start.
        from exporter.config.loader import load  # noqa: PLC0415

        return load(parsed.config_file, pipe_timeout=pipe_timeout)
    return from_flags(
        parsed.management or (), parsed.openvpn_config or (), parsed.status_file or ()
    )


def add_web_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the web server.

    `listen`, a list of addresses or None; `systemd_socket`; `web_config`, a path or None;
    `external_url`, or None; `telemetry_path`.
    """
    parser.add_argument(
        "--web.listen-address",
        dest="listen",
        action="append",
        type=_argument_type(parse_listen_address),
        metavar="ADDRESS",
        help=f"address to listen on (default {DEFAULT_ADDRESS}); repeatable",
    )
    parser.add_argument(
        "--web.systemd-socket",
        dest="systemd_socket",
        action="store_true",
        default=None,
        help="use systemd socket activation instead of listening",
    )
    add_web_config_flag(parser)
    parser.add_argument(
        "--web.external-url",
        dest="external_url",
        type=_argument_type(parse_external_url),
        metavar="URL",
        help="URL under which Prometheus reaches this exporter, for /sd (default: that of the "
        "request)",
    )
    parser.add_argument(
        "--web.telemetry-path",
        dest="telemetry_path",
        type=_argument_type(check_telemetry_path),
        default="/metrics",
        metavar="PATH",
        help="path of the metrics (default %(default)s)",
    )


def add_web_config_flag(parser: argparse.ArgumentParser) -> None:
    """Add the flag of the web configuration file: `web_config`, a path or None."""
    parser.add_argument(
        "--web.config.file",
        dest="web_config",
        type=Path,
        metavar="FILE",
        help="TLS, users, headers and rate limit (YAML, the format of Prometheus' exporters)",
    )


def add_log_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the log: `log_level` and `log_format`."""
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=[level.value for level in log.Level],
        default=log.Level.INFO.value,
        help="lowest level to log (default %(default)s)",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=[log_format.value for log_format in log.LogFormat],
        default=log.LogFormat.LOGFMT.value,
        help="format of the log (default %(default)s)",
    )


def _argument_type(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Return `parse` for argparse, which then prints the message of its ValueError."""

    def parse_argument(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_argument
