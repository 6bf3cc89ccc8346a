"""The kinds of daemons; each has a dashboard, which lists only daemons of its kind."""

from typing import NamedTuple

from grafana.queries import DAEMON_LABELS, ON_DAEMON, Selector, highest, last_in_range

EXPORTER_UID = "openvpn-exporter"
BOARD = "board"
"""The label with the uid of a daemon's dashboard."""


class Kind(NamedTuple):
    """A kind of daemon: its name, the pattern of its modes, the uid of its dashboard."""

    name: str
    modes: str
    uid: str

    def matcher(self) -> str:
        """Return the matcher for daemons of this kind."""
        return f'mode=~"{self.modes}"'


SERVER = Kind("server", "server", "openvpn-server")
TUNNEL = Kind("tunnel", "client|p2p", "openvpn-tunnel")
KINDS = (SERVER, TUNNEL)


def last_info(select: Selector) -> str:
    """Return a series for each daemon: mode and version, and its dashboard as a label.

    A daemon that is down has the mode that was last seen in the time range. If there is none, its
    dashboard is that of the exporter, which shows why the daemon is down.
    """
    info = select("openvpn_info")
    seen = (
        f"{highest(info, *DAEMON_LABELS, 'mode', 'version')} or {ON_DAEMON} "
        f"{last_in_range(info, *DAEMON_LABELS, 'mode')}"
    )
    for kind in KINDS:
        seen = f'label_replace({seen}, "{BOARD}", "{kind.uid}", "mode", "{kind.modes}")'
    up = highest(select("openvpn_up"), *DAEMON_LABELS)
    unseen = f'label_replace({up}, "{BOARD}", "{EXPORTER_UID}", "", "")'
    return f"{seen} or {ON_DAEMON} {unseen}"


def with_board(expression: str, select: Selector) -> str:
    """Return series of daemons with the label of each daemon's dashboard."""
    return f"({expression}) + {ON_DAEMON} group_left ({BOARD}) 0 * {boards(select)}"


def boards(select: Selector) -> str:
    """Return a series for each daemon, with its dashboard as a label."""
    return highest(last_info(select), *DAEMON_LABELS, BOARD)
