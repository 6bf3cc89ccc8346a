"""OpenVPN's own configuration files.

    lexer, lines, directives   one file -> its directives, split as OpenVPN splits them
    includes                   a file and the files that it includes -> one list of directives
    options                    directives -> the options that matter here, by OpenVPN's precedence
    model                      options -> the configuration of one OpenVPN process, paths resolved
    checks                     findings: what prevents monitoring, and what makes it dangerous
    ccd                        the clients that a client-config-dir names
    discovery                  patterns of file names -> named daemons with their findings

The package only reads files: it opens no socket. It imports `management` and `files` only.
"""

from exporter.openvpn_config.ccd import expected_clients
from exporter.openvpn_config.checks import Finding, Kind
from exporter.openvpn_config.discovery import (
    DiscoveredDaemon,
    Discovery,
    discover,
    running_user,
)
from exporter.openvpn_config.model import Inline, ManagementInterface, OpenVpnConfig

__all__ = [
    "DiscoveredDaemon",
    "Discovery",
    "Finding",
    "Inline",
    "Kind",
    "ManagementInterface",
    "OpenVpnConfig",
    "discover",
    "expected_clients",
    "running_user",
]
