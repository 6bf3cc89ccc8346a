"""Flags of other exporters, and what replaces them here.

Scripts and units start this exporter with them at first: they are answered by what to write
instead. The command `migrate` takes them all, and prints the configuration.
"""

import argparse
import enum
from collections.abc import Sequence

import msgspec


class Setting(enum.Enum):
    """What a flag sets; the value says what to write instead."""

    STATUS_FILES = "write --openvpn.status-file [NAME=]PATH for each file, or --openvpn.management"
    """Paths with commas between them."""
    NAMED_STATUS_FILES = "write --openvpn.status-file NAME=PATH, or --openvpn.management"
    """`NAME:PATH`, or paths; repeatable."""
    NO_ADDRESSES = "in the file of --config.file, set 'clients.info' to false"
    """Series of clients without addresses and user names."""
    NO_CLIENTS = "in the file of --config.file, set 'clients.series' to false"
    LISTEN_ADDRESS = "write --web.listen-address"
    TELEMETRY_PATH = "write --web.telemetry-path"
    LOG_LEVEL = "write --log.level"
    ROOT = "leave it out: the pages are at /"
    PROCESS_METRICS = "leave it out: metrics of the process are always served"


class OtherFlag(msgspec.Struct, frozen=True):
    """A flag of another exporter, without hyphens."""

    name: str
    setting: Setting
    is_ours: bool = False
    """This exporter has it with two hyphens, with the same meaning."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """The flag with two hyphens and with one, as Go's programs accept it; but for our own."""
        return (f"-{self.name}",) if self.is_ours else (f"--{self.name}", f"-{self.name}")


FLAGS = (
    # kumina/openvpn_exporter
    OtherFlag("openvpn.status_paths", Setting.STATUS_FILES),
    OtherFlag("ignore.individuals", Setting.NO_ADDRESSES),
    OtherFlag("web.listen-address", Setting.LISTEN_ADDRESS, is_ours=True),
    OtherFlag("web.telemetry-path", Setting.TELEMETRY_PATH, is_ours=True),
    # natrontech/openvpn-exporter
    OtherFlag("openvpn.status-files", Setting.STATUS_FILES),
    OtherFlag("openvpn.ignore-individuals", Setting.NO_ADDRESSES),
    OtherFlag("openvpn.listen-address", Setting.LISTEN_ADDRESS),
    OtherFlag("openvpn.metrics-path", Setting.TELEMETRY_PATH),
    OtherFlag("openvpn.loglevel", Setting.LOG_LEVEL),
    # patrickjahns/openvpn_exporter, which has web.listen-address and web.telemetry-path, too
    OtherFlag("status-file", Setting.NAMED_STATUS_FILES),
    OtherFlag("disable-client-metrics", Setting.NO_CLIENTS),
    OtherFlag("web.address", Setting.LISTEN_ADDRESS),
    OtherFlag("web.path", Setting.TELEMETRY_PATH),
    OtherFlag("web.root", Setting.ROOT),
    OtherFlag("enable-golang-metrics", Setting.PROCESS_METRICS),
)

REPLACEMENTS = {spelling: flag.setting.value for flag in FLAGS for spelling in flag.spellings}
"""What to write instead of each flag."""


def check_migrated_flags(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """End the program with what to write instead, if an argument is a flag of another exporter.

    The flags that the command itself has, as `migrate` has them all, are left to it.
    """
    known = {spelling for action in parser._actions for spelling in action.option_strings}  # noqa: SLF001 -- argparse has no public list of its flags
    for argument in arguments:
        flag = argument.partition("=")[0]
        if flag in REPLACEMENTS and flag not in known:
            parser.error(
                f"{flag} is a flag of another exporter: {REPLACEMENTS[flag]}; "
                "'openvpn-exporter migrate' with all its flags prints the configuration, and "
                "docs/migration.md compares the exporters"
            )
