"""The configuration, read once and immutable.

    schema              every key: its type, default, bounds and description
    keys                what a key of a section is
    share, share_checks the keys of `share`, and what contradicts them
    pki                 the keys of the lists of issued certificates
    idle                the keys of idle clients
    port_probe          the keys of the probes of ports
    probe_plan          these keys and a discovered configuration -> the probes of a daemon
    probe_checks        the probes of all daemons together
    expected_clients    clients that are expected on any server: names and patterns
    types, durations    the types of values
    socket_types        the types of values for listening sockets
    secret_files        the files with a password or a key
    yaml_nodes          a file -> YAML nodes, which know their lines
    decoder             nodes -> the schema's types, with all problems at once
    discovered          discovered values, for the keys that the file does not set
    loader              a file -> `Config`
    flags               flags -> `Config`
    status_file_flag    the status files that a flag names
    losses              what a reload would stop to monitor by accident
    target              the configuration of one daemon, and what a reload changes
    dump                `Config` -> YAML
    errors              the problems of a configuration
    docs, json_schema   the schema -> docs/configuration.md and config.schema.json

Of this program it imports `openvpn_config`, `port_probe`, `files`, `secret`, and the endpoints and
limits of `management`.
"""

from exporter.config.errors import ConfigError, Problem
from exporter.config.flags import from_flags
from exporter.config.losses import check_losses, check_not_empty
from exporter.config.schema import (
    ClientsConfig,
    Config,
    DaemonConfig,
    EventsConfig,
    Identity,
    PassThrough,
    SlotPolicy,
)
from exporter.config.secret_files import read_password

__all__ = [
    "ClientsConfig",
    "Config",
    "ConfigError",
    "DaemonConfig",
    "EventsConfig",
    "Identity",
    "PassThrough",
    "Problem",
    "SlotPolicy",
    "check_losses",
    "check_not_empty",
    "from_flags",
    "read_password",
]
