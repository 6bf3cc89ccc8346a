"""Where the daemons come from: the flags that say it, and the configuration they lead to."""

import argparse
from pathlib import Path

from exporter.cli.command import UsageError
from exporter.config import Config, from_addresses, load


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the flags that `configuration` reads."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--config.file", dest="config_file", type=Path, metavar="FILE", help="configuration (YAML)"
    )
    source.add_argument(
        "--openvpn.management",
        dest="management",
        action="append",
        metavar="ADDRESS",
        help="watch the daemon at this address, without a configuration file; repeatable: "
        "127.0.0.1:7505, unix:/run/openvpn/office.sock, listen:127.0.0.1:7600",
    )


def check_source(parsed: argparse.Namespace) -> None:
    """Raise UsageError unless the flags name a daemon."""
    if parsed.config_file is None and parsed.management is None:
        raise UsageError(
            "no daemon to watch: name a configuration with --config.file, or an address with "
            "--openvpn.management; 'openvpn-exporter demo' needs neither"
        )


def configuration(parsed: argparse.Namespace) -> Config:
    """Return the configuration that the flags of `add_source` lead to, read anew at each call.

    Raises ConfigError with every problem in it.
    """
    if parsed.config_file is not None:
        return load(parsed.config_file)
    return from_addresses(parsed.management)
