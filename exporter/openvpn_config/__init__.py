"""OpenVPN's own configuration files.

    lexer, lines, directives   one file -> its directives, split as OpenVPN splits them
    includes                   a file and the files that it includes -> one list of directives
    options                    directives -> the options that matter here, by OpenVPN's precedence
    address_pool               the number of clients that a server's addresses suffice for
    listening                  the ports of a server, and the key and limits of its clients
    model                      options -> the configuration of one OpenVPN process, paths resolved
    services                   names of services -> ports
    checks                     findings: what prevents monitoring, and what makes it dangerous
    ccd                        the clients that a client-config-dir names
    patterns                   a pattern of file names -> files, with the names of their daemons
    search                     all patterns -> each file once, with findings about the patterns
    units, command_line        the options that a service manager adds on the command line
    conflicts                  daemons that share a name, an address or a status file
    discovery                  patterns of file names -> named daemons with their findings
    errors                     locations in the files, and the errors of reading them

The package only reads files: it opens no socket. It imports `management`,
`port_probe`, `files` and `secret` only.
"""

from exporter.openvpn_config.ccd import expected_clients
from exporter.openvpn_config.checks import Finding, Kind
from exporter.openvpn_config.conflicts import DiscoveredDaemon
from exporter.openvpn_config.discovery import Discovery, discover, running_user
from exporter.openvpn_config.listening import ConnectFreq, ControlChannelKey, Listening
from exporter.openvpn_config.model import Inline, ManagementInterface, OpenVpnConfig
from exporter.openvpn_config.patterns import Pattern

__all__ = [
    "ConnectFreq",
    "ControlChannelKey",
    "DiscoveredDaemon",
    "Discovery",
    "Finding",
    "Inline",
    "Kind",
    "Listening",
    "ManagementInterface",
    "OpenVpnConfig",
    "Pattern",
    "discover",
    "expected_clients",
    "running_user",
]
