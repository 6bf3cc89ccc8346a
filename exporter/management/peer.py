"""The peer info that a client sends when it connects: `IV_PLAT`, `IV_VER` and `IV_GUI_VER`.

The peer chooses the values, so only those of known clients become label values. Any other value
is `other`, a missing one `unknown`.
"""

import re
from collections.abc import Mapping

import msgspec

from exporter.management.values import OTHER

UNKNOWN = "unknown"

_PLATFORMS = frozenset(
    {"android", "freebsd", "ios", "linux", "mac", "netbsd", "openbsd", "solaris", "win"}
)
_VERSION = re.compile(r"[23]\.[0-9]{1,2}(?:\.[0-9]{1,2})?(?![0-9])")
"""OpenVPN 2 and the core of OpenVPN 3; `2.6_git` is 2.6."""

_GUI_NAMES = {
    "OpenVPN_GUI": "openvpn-gui",
    "OCWindows": "openvpn-connect",
    "OCmacOS": "openvpn-connect",
    "net.openvpn.connect": "openvpn-connect",
    "de.blinkt.openvpn": "openvpn-for-android",
    "net.tunnelblick": "tunnelblick",
    "Viscosity": "viscosity",
}
"""The beginnings of `IV_GUI_VER`, which a version follows, and the names of the programs."""


class PeerInfo(msgspec.Struct, frozen=True, gc=False):
    """Platform and version of a client's OpenVPN (`linux`, `2.6.14`).

    `gui` is the graphical program that runs it (`openvpn-connect`); most clients name none ("").
    """

    platform: str = UNKNOWN
    version: str = UNKNOWN
    gui: str = ""


def parse_peer_info(variables: Mapping[str, str]) -> PeerInfo:
    """Parse the peer info among the variables of a `>CLIENT:` message."""
    platform, version = variables.get("IV_PLAT"), variables.get("IV_VER")
    return PeerInfo(
        UNKNOWN if platform is None else _platform(platform),
        UNKNOWN if version is None else _version(version),
        _gui_name(variables.get("IV_GUI_VER", "")),
    )


def _platform(text: str) -> str:
    return text if text in _PLATFORMS else OTHER


def _version(text: str) -> str:
    match = _VERSION.match(text)
    return match[0] if match else OTHER


def _gui_name(text: str) -> str:
    if not text:
        return ""
    return next((name for start, name in _GUI_NAMES.items() if text.startswith(start)), OTHER)
