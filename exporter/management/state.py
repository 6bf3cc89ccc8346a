"""OpenVPN's states and modes: the state history, and the mode that it implies.

An entry of the history is a line of the replies to `state` and `state all`, and the payload of
`>STATE:`.
"""

import enum
import ipaddress
import itertools
from collections.abc import Sequence

import msgspec

from exporter.management.values import clean, parse_time


class StateName(enum.StrEnum):
    """The states of OpenVPN; `STATE_MODES` says which modes enter them."""

    INITIAL = "INITIAL"
    CONNECTING = "CONNECTING"
    WAIT = "WAIT"
    AUTH = "AUTH"
    AUTH_PENDING = "AUTH_PENDING"
    GET_CONFIG = "GET_CONFIG"
    ASSIGN_IP = "ASSIGN_IP"
    ADD_ROUTES = "ADD_ROUTES"
    CONNECTED = "CONNECTED"
    RECONNECTING = "RECONNECTING"
    EXITING = "EXITING"
    RESOLVE = "RESOLVE"
    TCP_CONNECT = "TCP_CONNECT"
    UNKNOWN = "UNKNOWN"


class Mode(enum.StrEnum):
    """The kinds of daemon: the values of the label `mode`.

    No command reports the mode. The status format shows a server, `infer_tunnel_mode` the others.
    """

    SERVER = "server"
    CLIENT = "client"
    P2P = "p2p"


Modes = frozenset[Mode]
"""Some of the modes."""

ANY_MODE: Modes = frozenset(Mode)
SERVER: Modes = frozenset({Mode.SERVER})
CLIENT: Modes = frozenset({Mode.CLIENT})
TUNNEL: Modes = frozenset({Mode.CLIENT, Mode.P2P})
NO_MODE: Modes = frozenset()

STATE_MODES: dict[str, Modes] = {
    StateName.INITIAL: ANY_MODE,
    StateName.CONNECTING: ANY_MODE,
    StateName.WAIT: TUNNEL,
    StateName.AUTH: TUNNEL,
    StateName.AUTH_PENDING: CLIENT,
    StateName.GET_CONFIG: CLIENT,
    StateName.ASSIGN_IP: ANY_MODE,
    StateName.ADD_ROUTES: ANY_MODE,
    StateName.CONNECTED: ANY_MODE,
    StateName.RECONNECTING: ANY_MODE,
    StateName.EXITING: ANY_MODE,
    StateName.RESOLVE: TUNNEL,
    StateName.TCP_CONNECT: TUNNEL,
    StateName.UNKNOWN: ANY_MODE,
}
"""The modes that enter a state; OpenVPN 2.1 to 2.8.

A server drops the states of connecting to a peer (`OPENVPN_STATE_CLIENT_BASE` in manage.h). Only a
client pulls its configuration (GET_CONFIG) and waits for a pending authentication.
"""


class State(msgspec.Struct, frozen=True):
    """One entry of the state history; the state was entered at `time` (Unix time in seconds).

    `description` is the reason of RECONNECTING and EXITING, and `SUCCESS` or `ERROR` of CONNECTED.
    The fields from `remote_port` on exist since 2.4 and are "" before; `virtual_ipv6_address` is ""
    where the tunnel has none.
    """

    time: int
    name: StateName
    description: str
    virtual_address: str = ""
    remote_address: str = ""
    remote_port: str = ""
    local_address: str = ""
    local_port: str = ""
    virtual_ipv6_address: str = ""


# The number of fields after the description. Since 2.6 the description may contain commas
# (AUTH_PENDING), so the fields are counted from the end.
_FIELD_COUNTS_2_4 = (6, 5)
"""Since 2.4: with an IPv6 address of the tunnel, and without."""

_FIELD_COUNT_2_3 = 2
"""Up to 2.3."""


def parse_state(line: str) -> State:
    """Parse an entry of 5, 8 or 9 fields; the description may contain commas.

    Raises:
        ValueError: not an entry of the state history.
    """
    time, name, *rest = line.split(",")
    fitting = [n for n in _FIELD_COUNTS_2_4 if len(rest) > n and _has_addresses(rest[-n:])]
    # An address of unknown form still counts, where the number of fields leaves no doubt.
    exact = [n for n in (*_FIELD_COUNTS_2_4, _FIELD_COUNT_2_3) if len(rest) == n + 1]
    if not fitting and not exact:
        raise ValueError("not an entry of the state history")
    count = [*fitting, *exact][0]
    return State(
        parse_time(time),
        StateName(name) if name in StateName.__members__ else StateName.UNKNOWN,
        clean(",".join(rest[:-count])),
        *(clean(field) for field in rest[-count:]),
    )


def _has_addresses(fields: list[str]) -> bool:
    """Return whether the fields after the description are addresses and ports in their order."""
    addresses = [*fields[:2], *fields[3:4], *fields[5:]]
    ports = [*fields[2:3], *fields[4:5]]
    return all(_is_address(field) for field in addresses) and all(
        not field or field.isdigit() for field in ports
    )


def _is_address(text: str) -> bool:
    if not text:
        return True
    try:
        ipaddress.ip_address(text)  # accepts a zone, too: fe80::1%eth0
    except ValueError:
        return False
    return True


_ATTEMPT = frozenset({StateName.CONNECTING, StateName.RECONNECTING, StateName.RESOLVE})
_BEFORE_HANDSHAKE = _ATTEMPT | {StateName.ASSIGN_IP, StateName.TCP_CONNECT, StateName.CONNECTED}


def infer_tunnel_mode(history: Sequence[State]) -> Mode:
    """Infer client or point-to-point mode from the state history, oldest entry first.

    A client receives its addresses from the server: it requests them (GET_CONFIG), unless a server
    of 2.6 or later sends them at once. A point-to-point daemon is configured with its addresses:
    ASSIGN_IP comes before the handshake. If it assigns none, it has another sign: without TLS there
    is no AUTH, the peer begins the handshake (AUTH before WAIT), or no address at all.
    """
    names = [state.name for state in history]
    if StateName.GET_CONFIG in names:
        return Mode.CLIENT
    without_tls = StateName.CONNECTED in names and StateName.AUTH not in names
    is_p2p = without_tls or any(itertools.starmap(_is_p2p_step, itertools.pairwise(history)))
    return Mode.P2P if is_p2p else Mode.CLIENT


def _is_p2p_step(before: State, state: State) -> bool:
    """Return whether no client enters `state` after the one before."""
    match state.name:
        case StateName.ASSIGN_IP:
            return before.name in _ATTEMPT
        case StateName.AUTH:
            return before.name in _BEFORE_HANDSHAKE
        case StateName.CONNECTED:
            has_address = bool(state.virtual_address or state.virtual_ipv6_address)
            return before.name in {StateName.AUTH, StateName.WAIT} and not has_address
        case _:
            return False
