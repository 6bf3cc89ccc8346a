"""Where the daemons come from: the flags that say it, and the configuration they lead to."""

import argparse
from pathlib import Path

from exporter.cli.command import UsageError
from exporter.config import Config, from_flags, load


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the flags that `configuration` reads."""
    parser.add_argument(
        "--config.file", dest="config_file", type=Path, metavar="FILE", help="configuration (YAML)"
    )
    parser.add_argument(
        "--openvpn.config",
        dest="openvpn_config",
        action="append",
        metavar="GLOB",
        help="watch the daemons whose own OpenVPN configurations match, without a configuration "
        "file; repeatable: '/etc/openvpn/server/*.conf'",
    )
    parser.add_argument(
        "--openvpn.management",
        dest="management",
        action="append",
        metavar="ADDRESS",
        help="watch the daemon at this address, without a configuration file; repeatable: "
        "127.0.0.1:7505, unix:/run/openvpn/office.sock, listen:127.0.0.1:7600",
    )


def check_source(parsed: argparse.Namespace) -> None:
    """Raise UsageError unless the daemons come from one place: a file, or the other flags."""
    flags = parsed.management is not None or parsed.openvpn_config is not None
    if parsed.config_file is None and not flags:
        raise UsageError(
            "no daemon to watch: name a configuration with --config.file, OpenVPN's own with "
            "--openvpn.config, or an address with --openvpn.management; 'openvpn-exporter demo' "
            "needs none of them"
        )
    if parsed.config_file is not None and flags:
        raise UsageError(
            "--config.file is not allowed with --openvpn.management and --openvpn.config: write "
            "the daemons into the file"
        )


def configuration(parsed: argparse.Namespace) -> Config:
    """Return the configuration that the flags of `add_source` lead to, read anew at each call.

    Raises ConfigError with every problem in it.
    """
    if parsed.config_file is not None:
        return load(parsed.config_file)
    return from_flags(parsed.management or (), parsed.openvpn_config or ())
