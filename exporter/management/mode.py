"""What kind of daemon it is. No command says so: the status tells servers, the states the rest."""

import enum
import itertools
from collections.abc import Sequence

from exporter.management.state import State, StateName

_STARTS = (StateName.CONNECTING, StateName.RECONNECTING)


class Mode(enum.StrEnum):
    """The values of the label `mode`."""

    SERVER = "server"
    CLIENT = "client"
    P2P = "p2p"


def infer_tunnel_mode(history: Sequence[State]) -> Mode:
    """Tell client from point-to-point mode by the state history, oldest entry first.

    A point-to-point daemon knows its addresses beforehand: it has ASSIGN_IP before it talks to
    its peer, and without TLS no AUTH at all. A client is told its addresses by the server.
    """
    names = [state.name for state in history]
    early_address = any(
        name is StateName.ASSIGN_IP and before in _STARTS
        for before, name in itertools.pairwise(names)
    )
    without_tls = StateName.CONNECTED in names and StateName.AUTH not in names
    return Mode.P2P if early_address or without_tls else Mode.CLIENT
