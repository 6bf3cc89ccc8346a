"""What the operator wants, read once and frozen.

    document            file -> YAML nodes, which still know their lines
    schema              every key: its type, default, bounds and meaning
    reader              nodes -> the schema's types, with every problem at once
    forms, durations, password
                        how one value is read
    loader, addresses   the two ways to a `Config`: a file, or addresses on the command line
    documentation       the schema -> docs/configuration.md

A leaf: of this program it imports only the address, the secret and the text cap of `management`.
"""

from exporter.config.addresses import from_addresses
from exporter.config.errors import ConfigError, Problem
from exporter.config.loader import load
from exporter.config.password import read_password
from exporter.config.schema import ClientsConfig, Config, DaemonConfig, EventsConfig, Identity, Slot

__all__ = [
    "ClientsConfig",
    "Config",
    "ConfigError",
    "DaemonConfig",
    "EventsConfig",
    "Identity",
    "Problem",
    "Slot",
    "from_addresses",
    "load",
    "read_password",
]
