"""What the operator wants, read once and frozen.

    document            file -> YAML nodes, which still know their lines
    schema              every key: its type, default, bounds and meaning
    reader              nodes -> the schema's types, with every problem at once
    forms, durations, password
                        how one value is read
    merging             what was discovered, for the keys that nobody wrote
    loader, flags       the two ways to a `Config`: a file, or the command line
    documentation       the schema -> docs/configuration.md
    json_schema         the schema -> config.schema.json, for editors

Of this program it imports only `deployment`, which reads OpenVPN's own files, and the address, the
secret and the text cap of `management`.
"""

from exporter.config.errors import ConfigError, Problem
from exporter.config.flags import from_flags
from exporter.config.loader import load
from exporter.config.password import read_password
from exporter.config.schema import (
    ClientsConfig,
    Config,
    DaemonConfig,
    EventsConfig,
    Identity,
    SlotPolicy,
)

__all__ = [
    "ClientsConfig",
    "Config",
    "ConfigError",
    "DaemonConfig",
    "EventsConfig",
    "Identity",
    "Problem",
    "SlotPolicy",
    "from_flags",
    "load",
    "read_password",
]
