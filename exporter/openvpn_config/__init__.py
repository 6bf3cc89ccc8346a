"""What the operator's own OpenVPN files say.

    lines, directives   one file -> its directives, as OpenVPN splits them
    tree                a file and all it includes -> one list of directives
    options             directives -> the options that matter here, by OpenVPN's precedence
    deployment          options -> one OpenVPN process, its paths resolved
    judgement           what stands in the way of watching it, and what is dangerous there
    client_configs      the clients that a client-config-dir names
    discovery           patterns of file names -> deployments with names

It only reads: no socket is opened, nothing is asked. Of this program it imports only `management`.
"""

from exporter.openvpn_config.ccd import expected_clients
from exporter.openvpn_config.discovery import Discovered, Discovery, discover
from exporter.openvpn_config.findings import Finding, Kind
from exporter.openvpn_config.model import Inline, ManagementInterface, OpenVpnConfig

__all__ = [
    "Discovered",
    "Discovery",
    "Finding",
    "Inline",
    "Kind",
    "ManagementInterface",
    "OpenVpnConfig",
    "discover",
    "expected_clients",
]
