"""Flags of other exporters, with which scripts and units start this one at first."""

import argparse
from collections.abc import Sequence

_STATUS_FILE = "write --openvpn.status-file [NAME=]PATH for each file, or --openvpn.management"
_NO_SERIES = "in the file of --config.file, set 'clients.series' to false"

REPLACEMENTS = {
    "-openvpn.status_paths": _STATUS_FILE,
    "--openvpn.status_paths": _STATUS_FILE,
    "-ignore.individuals": _NO_SERIES,
    "--ignore.individuals": _NO_SERIES,
    "-web.listen-address": "write --web.listen-address",
    "-web.telemetry-path": "write --web.telemetry-path",
    "--status-file": _STATUS_FILE,
    "--disable-client-metrics": _NO_SERIES,
}
"""What to write instead of the flags of kumina/openvpn_exporter and patrickjahns/openvpn_exporter.

The first is a Go program, which accepts one hyphen or two.
"""


def check_migrated_flags(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """End the program with what to write instead, if an argument is a flag of another exporter."""
    for argument in arguments:
        flag = argument.partition("=")[0]
        if flag in REPLACEMENTS:
            parser.error(
                f"{flag} is a flag of another exporter: {REPLACEMENTS[flag]}; "
                "docs/migration.md compares the exporters"
            )
