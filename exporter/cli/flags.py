"""Flags that several commands share: the web server's and the log's."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from exporter import log
from exporter.web.listener import parse_listen_address
from exporter.web.routes import check_telemetry_path
from exporter.web.service_discovery import parse_external_url

DEFAULT_ADDRESS = ":9176"

T = TypeVar("T")


def add_web(parser: argparse.ArgumentParser) -> None:
    """Add where to serve, and to whom.

    `listen`, a list of addresses or None; `systemd_socket`; `web_config`, a path or None;
    `telemetry_path`.
    """
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--web.listen-address",
        dest="listen",
        action="append",
        type=_checked(parse_listen_address),
        metavar="ADDRESS",
        help=f"where to serve (default {DEFAULT_ADDRESS}); repeatable",
    )
    where.add_argument(
        "--web.systemd-socket",
        dest="systemd_socket",
        action="store_true",
        default=None,
        help="serve at the sockets that systemd hands over, and nowhere else",
    )
    add_web_config(parser)
    parser.add_argument(
        "--web.external-url",
        dest="external",
        type=_checked(parse_external_url),
        metavar="URL",
        help="where Prometheus finds this exporter, for /sd (default: where it asks)",
    )
    parser.add_argument(
        "--web.telemetry-path",
        dest="telemetry_path",
        type=_checked(check_telemetry_path),
        default="/metrics",
        metavar="PATH",
        help="path of the metrics (default %(default)s)",
    )


def add_web_config(parser: argparse.ArgumentParser) -> None:
    """Add who may ask: `web_config`, a path or None."""
    parser.add_argument(
        "--web.config.file",
        dest="web_config",
        type=Path,
        metavar="FILE",
        help="TLS, users, headers and rate limit (YAML, the format of Prometheus' exporters)",
    )


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add how much is logged, and how: `log_level` and `log_format`."""
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=[level.value for level in log.Level],
        default=log.Level.INFO.value,
        help="least level to log (default %(default)s)",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=[layout.value for layout in log.Layout],
        default=log.Layout.LOGFMT.value,
        help="how to log (default %(default)s)",
    )


def _checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """Let argparse say what a ValueError of `read` says."""

    def reading(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return reading
